"""Outputs on the way through a net, not only at its end."""

from __future__ import annotations

from collections.abc import Container

from torch import Tensor, nn


def outputs(layers: nn.Sequential, x: Tensor, levels: Container[int]) -> list[Tensor]:
    """The outputs of those layers of a sequence whose numbers are among `levels`, in order."""
    found = []
    for number, layer in enumerate(layers):
        x = layer(x)
        if number in levels:
            found.append(x)
    return found
