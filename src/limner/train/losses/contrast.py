"""How full of detail a picture is, place by place: an error fades whatever a net isn't sure of, and this tells so."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from limner.nets.fusion import luma
from limner.nets.pyramid import split

AROUND = 8
"""Side in an octave's pixels of the squares in which its deviation is taken."""


def contrasts(pictures: Tensor, octaves: int) -> list[Tensor]:
    """The deviation of the luma of (B, 3, H, W) in each of its finest octaves, the finest first, (B, 1, h, w) each: one
    number for every `AROUND` x `AROUND` of the octave's pixels."""
    bands, _ = split(luma(pictures), octaves)
    return [(F.avg_pool2d(band.square(), AROUND) + 1e-6).sqrt() for band in bands]
