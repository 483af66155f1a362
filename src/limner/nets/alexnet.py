"""AlexNet (Krizhevsky 2014, one tower) without its classifier, under torchvision's names: features for LPIPS."""

from __future__ import annotations

from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from limner.nets.levels import outputs

LEVELS = (1, 4, 7, 9, 11)
"""Layers whose outputs are compared: each convolution's, rectified."""
CHANNELS = (64, 192, 384, 256, 256)
"""Of those outputs."""


class AlexNet(ModelMixin, ConfigMixin):
    """The five convolutions."""

    @register_to_config
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 11, stride=4, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(64, 192, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(192, 384, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(),
        )

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """(B, 3, H, W), normalised, sides of 31 px and more, to the outputs of `LEVELS`, (B, C, h, w)."""
        return outputs(self.features, pictures, LEVELS)
