"""The nets that a recipe begins with or builds on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from limner.errors import WeightsError
from limner.nets.vqgan import VQGAN
from limner.train.recipe import Net
from limner.weights.load import load_net


def begin(make: Callable[[], Net], start: str | Path | None, kind: type[Net]) -> Net:
    """A new net, or one that another run left.

    Args:
        make: makes a new one.
        start: a name of the catalogue, or the `Path` of a folder; None begins anew.
        kind: what it must be.

    Raises:
        WeightsError: if there is no such net, or it is another one.
    """
    if start is None:
        return make()
    net = load_net(start)
    if not isinstance(net, kind):
        raise WeightsError(f"{start} holds another net than a {kind.__name__}: give those that another run left.")
    return net


def load_first_stage(source: str | Path) -> VQGAN:
    """The VQGAN of a latent diffusion.

    Raises:
        WeightsError: if there is none, or it is another net.
    """
    net = load_net(source)
    if not isinstance(net, VQGAN):
        raise WeightsError(f"{source} holds another net than a VQGAN: train one with `limner train vqgan`.")
    return net
