"""How much detail a picture has, place by place. A net that minimises an error fades whatever it isn't sure of; held to
the contrast as well, it doesn't."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from limner.nets.fusion import luma
from limner.nets.pyramid import split

AROUND = 8
"""Side in an octave's pixels of the squares in which its deviation is taken."""


def contrasts(pictures: Tensor, octaves: int) -> list[Tensor]:
    """The deviation of the luma of pictures in each of their finest octaves.

    Args:
        pictures: (B, 3, H, W) in any range; H and W multiples of `AROUND` * 2^(octaves - 1).
        octaves: how many.

    Returns:
        The finest first, (B, 1, h, w) each: one number for every `AROUND` x `AROUND` of the octave's pixels, in the
        pictures' units.
    """
    bands, _ = split(luma(pictures), octaves)
    return [(F.avg_pool2d(band.square(), AROUND) + 1e-6).sqrt() for band in bands]
