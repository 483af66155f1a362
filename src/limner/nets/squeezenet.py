"""SqueezeNet 1.1 (Iandola et al. 2016) without its classifier, under torchvision's names: features for LPIPS."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from limner.nets.levels import outputs

LEVELS = (1, 4, 7, 9, 10, 11, 12)
"""Layers whose outputs are compared."""
CHANNELS = (64, 128, 256, 384, 384, 512, 512)
"""Of those outputs."""


class Fire(nn.Module):
    """Channels squeezed by a pointwise convolution, then expanded by a pointwise and a 3 x 3 one side by side."""

    def __init__(self, ins: int, squeezed: int, expanded: int):
        super().__init__()
        self.squeeze = nn.Conv2d(ins, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.squeeze(x))
        return F.relu(torch.cat([self.expand1x1(h), self.expand3x3(h)], dim=1))


class SqueezeNet(ModelMixin, ConfigMixin):
    """One convolution and eight `Fire`s."""

    @register_to_config
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 3, stride=2),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            Fire(64, 16, 64),
            Fire(128, 16, 64),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            Fire(128, 32, 128),
            Fire(256, 32, 128),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            Fire(256, 48, 192),
            Fire(384, 48, 192),
            Fire(384, 64, 256),
            Fire(512, 64, 256),
        )

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """(B, 3, H, W), normalised, sides of 17 px and more, to the outputs of `LEVELS`, (B, C, h, w)."""
        return outputs(self.features, pictures, LEVELS)
