"""The Laplacian pyramid (Burt and Adelson 1983): a picture as octave bands and what is coarser than all of them."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

BANDS = 6
"""Octaves that are told apart; what is coarser than 2^6 = 64 pixels stays together."""

_NEAR, _FAR = 3 / 8, 1 / 8
"""Of the four taps of the low-pass. Sums rather than a convolution, which autocast would round to bf16."""


def reduce(x: Tensor) -> Tensor:
    """(B, C, H, W), sides even, to half the size; centres of pixels stay where they are."""
    x = F.pad(x, (1, 1, 1, 1), mode="replicate")
    x = _NEAR * (x[..., 1:-2:2] + x[..., 2:-1:2]) + _FAR * (x[..., 0:-3:2] + x[..., 3::2])
    return _NEAR * (x[..., 1:-2:2, :] + x[..., 2:-1:2, :]) + _FAR * (x[..., 0:-3:2, :] + x[..., 3::2, :])


def expand(x: Tensor) -> Tensor:
    """(B, C, H, W) to twice the size, linearly."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def split(x: Tensor, count: int = BANDS) -> tuple[list[Tensor], Tensor]:
    """The bands, finest first, and the coarse rest of (B, C, H, W), sides multiples of 2^count; `join` undoes it."""
    bands = []
    for _ in range(count):
        smaller = reduce(x)
        bands.append(x - expand(smaller))
        x = smaller
    return bands, x


def join(bands: list[Tensor], rest: Tensor) -> Tensor:
    """The picture of its bands and the coarse rest."""
    for band in reversed(bands):
        rest = band + expand(rest)
    return rest
