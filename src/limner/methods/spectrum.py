"""Puts right the spectrum of faces that a small prior made: no lattice, and of each frequency about as much as in
photographs.

A net that makes blocks of 4 x 4 pixels from one place of a smaller map, and grows its maps by repeating pixels, leaves
the same faint pattern every 4 and 2 px: lines in the spectrum that stand out from their neighbours. And what it draws
has too little of some frequencies and too much of the finest, alike for all faces, so that a gain for each mends it.
The gains are the weights' own (`UNet`'s `spectrum`); `python -m limner.train.spectrum` measures them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

PERIOD = 4
"""Pixels from one bar of the lattice to the next."""
WIDE = 1
"""Frequencies beside a line of it that its slow changes over the face light up."""
NEAR, FAR = 3, 6
"""Neighbours of a line are so many frequencies away."""
SMOOTH = 32
"""Frequencies along a line that are brought down alike: a single one stands out by chance as often as by a lattice."""
CHANCE = 0.5
"""How far a line may lie below its neighbours, in the logarithm of the power, and is brought up to them: if only what
stands out by chance were evened, the mean line would end below them."""
FAINT = 2.5e-7
"""Power for each pixel that is nothing: of rounding to grey levels."""
STEP = 1 / 32
"""Cycles per pixel from one gain to the next; the first is that of what is constant."""


def evened(images: Tensor, gains: Sequence[float]) -> Tensor:
    """Faces with their lattice taken off and each frequency multiplied.

    Args:
        images: (B, 3, H, W) in [0, 1], both sides multiples of 4 and at least 64.
        gains: of frequencies that are multiples of `STEP`, from 0 to the corner's, in between linear.

    Returns:
        (B, 3, H, W) float32 in [0, 1].
    """
    height, width = images.shape[-2:]
    spectrum = torch.fft.fft2(images.float())
    power = (spectrum.abs().square().sum(dim=1) + FAINT * height * width).log()
    factor = _levelled(power) * _levelled(power.mT).mT * gain_of(height, width, gains).to(images.device)
    return torch.fft.ifft2(spectrum * factor[:, None]).real.clamp(0, 1)


def gain_of(height: int, width: int, gains: Sequence[float]) -> Tensor:
    """The gain of every frequency of `torch.fft.fft2`, (H, W)."""
    place = frequencies(height, width) / STEP
    below = place.long().clamp(max=len(gains) - 2)
    at = torch.tensor(gains, dtype=torch.float32)
    return torch.lerp(at[below], at[below + 1], (place - below).clamp(max=1))


def frequencies(height: int, width: int) -> Tensor:
    """How many cycles per pixel each frequency of `torch.fft.fft2` has, in whatever direction, (H, W)."""
    return torch.hypot(torch.fft.fftfreq(height)[:, None], torch.fft.fftfreq(width)[None])


def _levelled(power: Tensor) -> Tensor:
    """What brings the lines of a lattice across a picture to what is beside them, (B, H, W), by the logarithm of
    its power, likewise."""
    height, width = power.shape[-2:]
    factor = torch.ones_like(power)
    apart = torch.arange(NEAR, FAR + 1)
    for line in range(width // PERIOD, width, width // PERIOD):
        neighbours = power[..., torch.cat([line - apart, line + apart])]
        beside, mean = neighbours.mean(dim=-1), neighbours.logsumexp(dim=-1) - math.log(neighbours.shape[-1])
        for column in range(line - WIDE, line + WIDE + 1):
            stands_out = power[..., column] - beside
            ring = F.pad(stands_out, (SMOOTH // 2, SMOOTH - SMOOTH // 2 - 1), mode="circular")
            higher = F.avg_pool1d(ring, SMOOTH, stride=1)
            # the axis holds every straight edge of the picture, beside the line as well
            higher[:, :NEAR] = higher[:, height - NEAR + 1 :] = 0
            # what is the same in every block is a point on each line, the share of both axes' lines in it halved; it is
            # compared with the others' mean power, since that of logarithms is a good deal lower
            for crossing in range(0, height, height // PERIOD):
                share = 0.5 if crossing else 1.0
                for row in range(crossing - WIDE, crossing + WIDE + 1):
                    higher[:, row] = share * (power[:, row, column] - mean[:, row])
            factor[..., column] = (-higher.clamp(min=-CHANCE) / 2).exp()
    return factor
