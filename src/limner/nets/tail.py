"""The last layers of a net at the picture's own size: from the features of a trunk at a quarter of it, and from
pictures that it may look at again.

A net that makes each 4 x 4 pixels from one vector has no better place for fine detail than a lattice. Here every pixel
has neighbours of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from limner.nets.blocks import ResidualBlock, zeroed
from limner.nets.initial import keep_variance


class Stage(nn.Module):
    """Twice the size: what came from below, the pictures at this size, and the timestep's scale and shift, if any.

    Args:
        below, channels: of the features that come in and go out.
        pictures: channels of the pictures, folded to this size.
        time_channels: of the embedded timestep; 0 for nets without one.
        blocks: residual blocks.
    """

    def __init__(self, below: int, channels: int, pictures: int, time_channels: int, blocks: int):
        super().__init__()
        self.below = nn.Conv2d(below, channels, 1)
        self.look = nn.Conv2d(pictures, channels, 3, padding=1)
        self.time = nn.Linear(time_channels, 2 * channels) if time_channels else None
        self.blocks = nn.Sequential(*(ResidualBlock(channels) for _ in range(blocks)))
        if self.time is not None:
            nn.init.zeros_(self.time.weight)
            nn.init.zeros_(self.time.bias)

    def forward(self, h: Tensor, pictures: Tensor, embedding: Tensor | None = None) -> Tensor:
        h = self.look(pictures).add_(F.interpolate(self.below(F.silu(h)), scale_factor=2.0, mode="nearest"))
        if self.time is None or embedding is None:
            return self.blocks(h)
        scale, shift = self.time(F.silu(embedding))[:, :, None, None].chunk(2, dim=1)
        return self.blocks(h * (1 + scale) + shift)


class Tail(nn.Module):
    """Two stages, to half and to the whole of the picture's size, and a picture that begins as zeros.

    Args:
        below: channels of the trunk's features, at a quarter of the picture's side.
        pictures: channels of what it looks at, at full size.
        channels: of the picture that it makes.
        time_channels: of the embedded timestep; 0 for nets without one.
        widths: channels at half and at full size.
        blocks: residual blocks of each stage.
    """

    def __init__(
        self,
        below: int,
        pictures: int,
        channels: int,
        time_channels: int,
        widths: Sequence[int] = (48, 24),
        blocks: Sequence[int] = (2, 2),
    ):
        super().__init__()
        half, full = widths
        self.at_half = Stage(below, half, 4 * pictures, time_channels, blocks[0])
        self.at_full = Stage(half, full, pictures, time_channels, blocks[1])
        keep_variance(self, zero=("conv2",))
        self.out = zeroed(nn.Conv2d(full, channels, 3, padding=1))

    def forward(self, h: Tensor, pictures: Tensor, embedding: Tensor | None = None) -> Tensor:
        """Features (B, below, H/4, W/4), pictures (B, pictures, H, W) about [-1, 1], the embedded timestep
        (B, time_channels) where there is one, to (B, channels, H, W)."""
        h = self.at_half(h, F.pixel_unshuffle(pictures, 2), embedding)
        return self.out(F.silu(self.at_full(h, pictures, embedding)))
