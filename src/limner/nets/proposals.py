"""The net that proposes faces: where their centres are, how large they are, where their five points lie.

Zhou, Wang and Krähenbühl 2019, "Objects as Points" (CenterNet): a face is the peak of a heat map, and size and points
are read off at the peak, without anchors. It is fully convolutional, so that a picture of any size may be asked.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from limner.nets.blocks import NormedBlock, NormedConv

STRIDE = 8
"""Pixels of the picture for each cell of the net's answer."""
STEP = 16
"""Both sides of a picture are multiples of this."""
UNIT = 16.0
"""Side in pixels of a face whose logarithmic size is 0."""
GUESS = -2.2
"""What the heat of every cell begins at: the logit of 0.1, as RetinaNet begins."""


class ProposalNet(ModelMixin, ConfigMixin):
    """Picture to a map of faces.

    Args:
        widths: channels at 1/4, 1/8 and 1/16 of the picture.
    """

    @register_to_config
    def __init__(self, widths: tuple[int, int, int] = (32, 64, 80)):
        super().__init__()
        fine, middle, coarse = widths
        self.stem = nn.Sequential(nn.PixelUnshuffle(2), NormedConv(12, fine, 2), NormedConv(fine, fine))
        self.down1 = nn.Sequential(NormedConv(fine, middle, 2), NormedBlock(middle))
        self.down2 = nn.Sequential(NormedConv(middle, coarse, 2), NormedBlock(coarse), NormedBlock(coarse))
        self.grow = nn.Conv2d(coarse, middle, 1)
        self.up = NormedConv(middle, middle)
        self.answer = nn.Sequential(NormedConv(middle, middle), nn.Conv2d(middle, 12, 1))
        last = self.answer[-1]
        assert isinstance(last, nn.Conv2d) and last.bias is not None
        nn.init.zeros_(last.bias)
        nn.init.constant_(last.bias[:1], GUESS)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Looks at pictures.

        Args:
            pictures: (B, 3, H, W) RGB in [0, 1], both sides multiples of `STEP`.

        Returns:
            Over cells of `STRIDE` pixels, h = H / 8 and w = W / 8: the logits of a face's centre (B, h, w); the natural
            logarithm of the side of its box over `UNIT` (B, h, w); and its five points less the centre of the cell, in
            sides of the box, (B, 5, 2, h, w).
        """
        middle = self.down1(self.stem(4 * pictures - 2))
        coarse = F.interpolate(self.grow(self.down2(middle)), scale_factor=2.0)
        answer = self.answer(self.up(middle + coarse)).float()
        return answer[:, 0], answer[:, 1], answer[:, 2:].unflatten(1, (5, 2))


def centres(height: int, width: int) -> Tensor:
    """The centres x, y of `height` x `width` cells in pixels of the picture, (2, height, width); (0, 0) is the centre
    of its upper left pixel."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return STRIDE * torch.stack([x, y]) + (STRIDE - 1) / 2


def decoded(sizes: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
    """What the net says of each cell, in pixels: sides of boxes (B, h, w) and points (B, 5, 2, h, w)."""
    sides = UNIT * sizes.clamp(-3, 4).exp()
    return sides, centres(*sides.shape[1:]).to(sides) + sides[:, None, None] * offsets
