"""The net that finds damage: scratches, cracks, specks, folds, tears and stains, pixel by pixel.

Ronneberger, Fischer and Brox 2015, "U-Net", behind a pixel-unshuffle, with sums in place of concatenations. It is
fully convolutional and sees some 90 pixels around each, enough to tell a scratch from a strand of hair. Whether a dot
is dust shows in how many there are: the mean of the coarsest level over the whole picture is added to it, as in the
global context block of Cao et al. 2019, "GCNet", without its attention.
"""

from __future__ import annotations

from itertools import pairwise

import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from limner.nets.blocks import NormedBlock, NormedConv, padded, u_shaped

RARE = -3.0
"""What every pixel's logit begins at: of a photograph, few are damaged."""


class Context(nn.Module):
    """x + conv(relu(conv(mean of x))), the last convolution starting at zero."""

    def __init__(self, channels: int):
        super().__init__()
        last = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(last.weight)
        self.said = nn.Sequential(nn.Conv2d(channels, channels, 1), nn.ReLU(inplace=True), last)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.said(x.mean(dim=(2, 3), keepdim=True))


class DamageNet(ModelMixin, ConfigMixin):
    """Photograph to where it is damaged.

    Args:
        patch_size: factor of the pixel-unshuffle.
        widths: channels of each level; every level halves the resolution.
    """

    @register_to_config
    def __init__(self, patch_size: int = 2, widths: tuple[int, ...] = (24, 40, 56, 80)):
        super().__init__()
        pairs = list(pairwise(widths))
        self.stem = NormedConv(3 * patch_size**2, widths[0])
        self.down = nn.ModuleList(NormedBlock(width) for width in widths[:-1])
        self.shrink = nn.ModuleList(nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in pairs)
        self.middle = nn.Sequential(NormedBlock(widths[-1]), Context(widths[-1]))
        self.grow = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in pairs)
        self.up = nn.ModuleList(NormedBlock(width) for width in widths[:-1])
        self.head = nn.Conv2d(widths[0], patch_size**2, 1)
        nn.init.constant_(self.head.bias, RARE)  # type: ignore[arg-type]  # torch types a bias as perhaps absent

    def forward(self, pictures: Tensor) -> Tensor:
        """Looks at pictures of any size.

        Args:
            pictures: (B, 3, H, W) RGB in [0, 1].

        Returns:
            The logit that a pixel is damaged, (B, H, W) float32.
        """
        height, width = pictures.shape[-2:]
        patch = self.config["patch_size"]
        whole = padded(pictures, patch * 2 ** (len(self.config["widths"]) - 1))
        h = self.stem(F.pixel_unshuffle(4 * whole - 2, patch).to(self.head.weight.dtype))
        h = u_shaped(self, h, lambda x: F.interpolate(x, scale_factor=2.0))[-1]
        return F.pixel_shuffle(self.head(h), patch)[:, 0, :height, :width].float()
