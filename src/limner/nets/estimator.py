"""A small regressor from a degraded face to a clean one: DifFace's f(y0), sized to be trained on a CPU.

A residual U-Net without normalisation. It begins with a pixel-unshuffle and ends with its inverse, because
convolutions at the full resolution are what a CPU can least afford, and it adds its answer to the input, so that an
untrained net is the identity and training only ever improves on the degraded picture.
"""

from __future__ import annotations

from itertools import pairwise

import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from limner.nets.blocks import ResidualBlock, u_shaped
from limner.nets.initial import keep_variance

CONTRAST = 4.0
"""Brings pixels of [0, 1] to about unit variance around zero."""


def _blocks(channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(ResidualBlock(channels) for _ in range(count)))


class Estimator(ModelMixin, ConfigMixin):
    """Degraded face to an estimate of the clean one (DifFace's f in small; docs/methods/difface.md, eq. (11)).

    Args:
        sample_size: side in pixels of the faces it was trained on.
        patch_size: factor of the pixel-unshuffle stem.
        widths: channels of each level; every level halves the resolution.
        depths: residual blocks of each level, on the way down and again on the way up (the last level: once).
    """

    @register_to_config
    def __init__(
        self,
        sample_size: int = 256,
        patch_size: int = 4,
        widths: tuple[int, ...] = (96, 128, 192),
        depths: tuple[int, ...] = (2, 3, 4),
    ):
        super().__init__()
        pixels = 3 * patch_size**2
        self.stem = nn.Conv2d(pixels, widths[0], 3, padding=1)
        self.down = nn.ModuleList(_blocks(w, d) for w, d in zip(widths[:-1], depths[:-1], strict=True))
        pairs = list(pairwise(widths))
        self.shrink = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairs)
        self.middle = _blocks(widths[-1], depths[-1])
        self.grow = nn.ModuleList(nn.Conv2d(b, 4 * a, 1) for a, b in pairs)
        self.up = nn.ModuleList(_blocks(w, d) for w, d in zip(widths[:-1], depths[:-1], strict=True))
        self.head = nn.Conv2d(widths[0], pixels, 3, padding=1)
        keep_variance(self, zero=("conv2", "head"))

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] to the same; H and W multiples of patch_size * 2^(levels - 1).

        The net's answer is added in the precision of x, so that bf16 weights don't coarsen the picture itself.
        """
        return x + F.pixel_shuffle(self.answer(x), self.config["patch_size"]).to(x.dtype)

    def answer(self, x: Tensor) -> Tensor:
        """What the head says of a picture as for `forward`, before the pixels are put into their places."""
        return self.head(self.features(x))

    def features(self, x: Tensor) -> Tensor:
        """Of a picture as for `forward`: (B, widths[0], H / patch_size, W / patch_size)."""
        h = self.stem(F.pixel_unshuffle(CONTRAST * (x - 0.5), self.config["patch_size"]).to(self.stem.weight.dtype))
        return u_shaped(self, h, lambda x: F.pixel_shuffle(x, 2))[-1]
