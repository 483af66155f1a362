"""VGG-16 (Simonyan & Zisserman 2015) without its classifier, under torchvision's names: features for LPIPS and, with
smoother pooling, for DISTS."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from limner.nets.levels import outputs

WIDTHS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Channels of the convolutions of each stage; a pooling stands between stages."""
LEVELS = (3, 8, 15, 22, 29)
"""Layers whose outputs are compared: the last of each stage, rectified."""
CHANNELS = (64, 128, 256, 512, 512)
"""Of those outputs."""


class RootPool(nn.Module):
    """The root of the mean square under a Hann window of 3 x 3, every second place: pooling without aliasing (Hénaff &
    Simoncelli 2016)."""

    def forward(self, x: Tensor) -> Tensor:
        row = torch.tensor([0.25, 0.5, 0.25], dtype=x.dtype, device=x.device)
        window = torch.outer(row, row).expand(x.shape[1], 1, 3, 3)
        return (F.conv2d(x * x, window, stride=2, padding=1, groups=x.shape[1]) + 1e-12).sqrt()


class VGG16(ModelMixin, ConfigMixin):
    """The thirteen convolutions.

    Args:
        pooling: `max`, as published, or `root`, as DISTS has it (`RootPool`).
    """

    @register_to_config
    def __init__(self, pooling: str = "max") -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for widths in WIDTHS:
            if layers:
                layers.append(nn.MaxPool2d(2, 2) if pooling == "max" else RootPool())
            for width in widths:
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
                channels = width
        self.features = nn.Sequential(*layers)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """(B, 3, H, W), normalised, sides of 16 px and more, to the outputs of `LEVELS`, (B, C, h, w)."""
        return outputs(self.features, pictures, LEVELS)
