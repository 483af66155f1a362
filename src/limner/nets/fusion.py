"""The fusion: in each octave and place, how much of a restoration to take and how much of the photograph.

Restoration x and clean photograph c are joined in the Laplacian pyramid, w x + (1 - w) c. The net reads both, and what
the cleaner took off, and gives w, small where the photograph knows better. It can only choose between what the two
show, so that no weights, however bad, can make it paint. What it reads has its faint places brought up (`evened`).
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from limner.nets.blocks import Parts, ResidualBlock, padded, u_shaped, zeroed
from limner.nets.estimator import CONTRAST
from limner.nets.initial import keep_variance
from limner.nets.pyramid import expand, join, reduce, split

LUMA = (0.299, 0.587, 0.114)
FAITHFUL = 2
"""Of the finest octaves the colour is the photo's alone, whatever the net says. With two more of them bad photographs
kept a coloured fringe around the head, which the restoration hadn't."""
STEM = 2
"""Factor of the pixel-unshuffle stem: the shares of a band are known at half its resolution, since they vary slowly."""
USUAL, MOST = 0.15, 5.0
"""The luma's deviation, in parts of white, from which on a place is seen as it is (of six in ten in faces of common
contrast), and how much a fainter one is brought up at most."""
AROUND, GRID = 96, 16
"""Sides in pixels of the squares in which that deviation is taken, and of the grid on which they lie."""
SHUT = -3.0
"""The logit of all shares of the untrained net, w = 0.05. From 0.27 all shut for good in the first ten steps, since
wrong restorations are so much worse than right ones are better."""


class Fusion(ModelMixin, ConfigMixin):
    """A U-Net whose every level gives the shares of one octave, of the luma and of the chroma.

    Args:
        sample_size: side in pixels of the windows it was trained on.
        widths: channels of each of four levels or more; the first is at half the picture's resolution, every level
            halves it again.
    """

    @register_to_config
    def __init__(self, sample_size: int = 256, widths: tuple[int, ...] = (24, 32, 40, 40, 40, 32)):
        super().__init__()
        pairs = list(pairwise(widths))
        self.stem = nn.Conv2d(9 * STEM**2, widths[0], 3, padding=1)
        self.down = nn.ModuleList(ResidualBlock(width) for width in widths[:-1])
        self.shrink = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairs)
        self.middle = ResidualBlock(widths[-1])
        self.grow = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairs)
        self.up = nn.ModuleList(ResidualBlock(width) for width in widths[:-1])
        self.heads = Parts([nn.Conv2d(width, 2, 3, padding=1) for width in widths])
        keep_variance(self, zero=("conv2",))
        for head in self.heads:
            zeroed(head, SHUT)

    def forward(self, photo: Tensor, clean: Tensor, restored: Tensor) -> tuple[Tensor, Tensor]:
        """Joins photographs and their restorations.

        Args:
            photo, clean, restored: (B, 3, H, W) in [0, 1], the photograph as it is, the clean one, and what a method
                made of it.

        Returns:
            The joined picture less the clean one, (B, 3, H, W), and how far it is the restoration's, (B, 1, H, W) from
            0 to 1.
        """
        return taken(clean, restored, self.shares(photo, clean, restored))

    def shares(self, photo: Tensor, clean: Tensor, restored: Tensor) -> list[Tensor]:
        """w of each octave, finest first, (B, 2, h, w) at the octave's own resolution, of the luma and of the chroma;
        of pictures that are padded to multiples of 2^levels."""
        photo, clean, restored = (padded(x, 2 ** len(self.heads)) for x in (photo, clean, restored))
        middle, gain = evened(clean)
        seen = torch.cat([gain * (photo - clean), middle + gain * (clean - middle) - 0.5, gain * (restored - clean)], 1)
        h = self.stem(F.pixel_unshuffle(CONTRAST * seen, STEM).to(self.stem.weight.dtype))
        levels = u_shaped(self, h, expand)
        return [expand(head(level).float()).sigmoid() for head, level in zip(self.heads, reversed(levels), strict=True)]


def taken(clean: Tensor, restored: Tensor, shares: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Joins photographs and their restorations by shares that are known.

    Args:
        clean, restored: (B, 3, H, W) in [0, 1].
        shares: as `Fusion.shares` gives them.

    Returns:
        As `Fusion.forward`.
    """
    height, width = clean.shape[-2:]
    clean, restored = (padded(x, 2 ** len(shares)) for x in (clean, restored))
    bands, rest = split(restored - clean, len(shares))
    wanted = []
    for octave, (band, share) in enumerate(zip(bands, shares, strict=True)):
        light = luma(band)
        colour = share[:, 1:] * (band - light) if octave >= FAITHFUL else 0
        wanted.append(share[:, :1] * light + colour)
    joined, origin = join(wanted, torch.zeros_like(rest)), _origin(clean, restored, shares)
    return joined[..., :height, :width], origin[..., :height, :width]


@torch.no_grad()
def evened(clean: Tensor) -> tuple[Tensor, Tensor]:
    """By what the fusion sees a picture x as m + g (x - m), that a faded print or a dark face is not taken for one
    without blur or noise since they change few of its grey levels. All channels alike, colours with them.

    Args:
        clean: (B, 3, H, W) in [0, 1], sides multiples of `GRID`.

    Returns:
        m and g, (B, 1, H, W): the mean of the luma around each pixel, and what brings its deviation up to `USUAL`, from
        1 to `MOST`.
    """
    light = luma(clean.float())
    mean, square = (
        F.avg_pool2d(x, AROUND, GRID, (AROUND - GRID) // 2, count_include_pad=False) for x in (light, light.square())
    )
    gain = (USUAL / (square - mean.square()).clamp(min=1e-6).sqrt()).clamp(1, MOST)
    mean, gain = F.interpolate(
        torch.cat([mean, gain], dim=1), scale_factor=GRID, mode="bilinear", align_corners=False
    ).split(1, dim=1)
    return mean, gain


def luma(x: Tensor) -> Tensor:
    """The luma of (B, 3, H, W), (B, 1, H, W)."""
    return (x * x.new_tensor(LUMA).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)


@torch.no_grad()
def _origin(clean: Tensor, restored: Tensor, shares: list[Tensor]) -> Tensor:
    """How much of the contrast that is seen around each pixel, over all octaves, is the restoration's."""
    ours, _ = split(luma(restored), len(shares))
    photos, _ = split(luma(clean), len(shares))
    invented = own = torch.zeros_like(ours[-1])
    for a, b, share in zip(reversed(ours), reversed(photos), reversed(shares), strict=True):
        if a.shape != invented.shape:
            invented, own = expand(invented), expand(own)
        w = share[:, :1]
        invented = invented + expand(reduce((w * a).abs()))
        own = own + expand(reduce(((1 - w) * b).abs()))
    return invented / (invented + own).clamp(min=1e-4)
