"""A face as the album's recogniser sees it: an aligned crop to a unit vector, whose cosine says "the same person".

Two descriptions that err differently are joined, the embedded recogniser's, of the face and its mirror image, and the
classical one of `limner.faces.hog`, by a discriminant that knows in which directions damage and moods move a face and
in which people differ. A badly damaged face is described twice, as it is and as DifFace's estimator restores it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.faces.hog import HogIdentity
from limner.nets.discriminant import Discriminant
from limner.nets.estimator import Estimator
from limner.nets.identity import IdentityNet
from limner.pixels import to_tensor
from limner.weights.catalogue import find, sha256
from limner.weights.load import load_identity, load_net

SIDE = 256
"""Of the crops, in pixels."""

DAMAGED = 0.7
"""Damage (`limner.faces.damage`) from which a face is described as it is restored, too."""


@lru_cache(maxsize=1)
def identity_net(device: torch.device) -> IdentityNet:
    """The embedded recogniser on a device, loaded once."""
    net = load_identity("mini")
    nn.Module.to(net, device)
    return net


class Describer:
    """What the discriminant is given: descriptions of faces.

    Args:
        device: where the nets run.
    """

    def __init__(self, device: torch.device | str = "cpu"):
        self.device = torch.device(device)
        self._hog = HogIdentity()

    @cached_property
    def _estimator(self) -> Estimator:
        net = load_net("mini/difface-estimator", Estimator)
        nn.Module.to(net, self.device)
        return net

    @torch.no_grad()
    def __call__(self, crop: np.ndarray, damaged: bool = False) -> Tensor:
        """Describes one face.

        Args:
            crop: aligned, (SIDE, SIDE, 3) uint8.
            damaged: whether it is described as it is restored, too.

        Returns:
            (F,) float32 on the CPU: the recogniser's 256 numbers, of unit length, and the classical 4356, likewise.
        """
        picture = to_tensor(crop)[None].to(self.device)
        looks = [picture, self._estimator(picture).clamp(0, 1)] if damaged else [picture]
        net = identity_net(self.device)
        known = sum(F.normalize(net(one) + net(one.flip(-1)), dim=1) for one in looks)
        drawn = sum(self._hog(one) for one in looks)
        return torch.cat([F.normalize(torch.as_tensor(one), dim=1) for one in (known, drawn)], dim=1)[0].float().cpu()


class Recogniser:
    """Tells who is who, with the weights `mini/discriminant`.

    Args:
        device: where the nets run.

    Attributes:
        name: of the weights that it has: vectors of others mean nothing to it.
        width: D, length of the vectors.
    """

    def __init__(self, device: torch.device | str = "cpu"):
        self._describe = Describer(device)
        self._net = load_net("mini/discriminant", Discriminant)
        self.width = int(self._net.config["embedding"])

    @cached_property
    def name(self) -> str:
        parts = [find(f"mini/{one}").path() for one in ("identity", "discriminant", "difface-estimator")]
        return " ".join(sha256(one / "diffusion_pytorch_model.safetensors")[:12] for one in parts)

    @torch.no_grad()
    def __call__(self, crops: Sequence[np.ndarray], damage: Sequence[float | None]) -> np.ndarray:
        """The vectors of faces.

        Args:
            crops: aligned, (SIDE, SIDE, 3) uint8 each.
            damage: of each, 0 to 1; None of one that is too small to tell.

        Returns:
            (N, D) float32, of unit length.
        """
        if not crops:
            return np.zeros((0, self.width), np.float32)
        described = [self._describe(crop, (one or 0) >= DAMAGED) for crop, one in zip(crops, damage, strict=True)]
        return self._net(torch.stack(described)).numpy()
