"""The face recogniser of dlib (King 2017): a ResNet of 29 convolutions, from 150-px chips to 128 numbers.

It only measures: no training used it, and nothing that restores needs it. Its affine layers, which were batch
normalisations while it learned, are folded into the convolutions.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from limner.nets.blocks import Parts

SIDE = 150
"""Of a chip, in pixels."""

MEAN_RGB = (122.782, 117.001, 104.298)
"""What is taken from a chip's colours, in grey levels of 255, before they are divided by 256."""


@dataclass(frozen=True)
class Stage:
    """Residual blocks of one width.

    Attributes:
        blocks: how many.
        channels: that come out.
        stride: of the first block.
    """

    blocks: int
    channels: int
    stride: int


STAGES = (Stage(3, 32, 1), Stage(4, 64, 2), Stage(3, 128, 2), Stage(3, 256, 2), Stage(1, 256, 2))


class Block(nn.Module):
    """Two 3x3 convolutions, the first of which strides without a border; the shortcut of such a one is the mean of 2x2
    pixels. Maps and channels that one of the two lacks count as zeros in the sum."""

    def __init__(self, ins: int, channels: int, stride: int):
        super().__init__()
        self.first = nn.Conv2d(ins, channels, 3, stride, padding=1 if stride == 1 else 0)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        h = self.second(F.relu(self.first(x)))
        return F.relu(_padded_sum(h, x if self.stride == 1 else F.avg_pool2d(x, self.stride)))


class DlibResNet(ModelMixin, ConfigMixin):
    """The published net of 5.6 million parameters."""

    @register_to_config
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, STAGES[0].channels, 7, 2)
        blocks, channels = [], STAGES[0].channels
        for stage in STAGES:
            for number in range(stage.blocks):
                blocks.append(Block(channels, stage.channels, stage.stride if number == 0 else 1))
                channels = stage.channels
        self.blocks = Parts(blocks)
        self.fc = nn.Linear(channels, 128, bias=False)

    def forward(self, chips: Tensor) -> Tensor:
        """(B, 3, 150, 150) RGB in [0, 1], eyes and nose where dlib's chips have them, to vectors (B, 128) of any
        length; two of one person are said to lie less than 0.6 apart."""
        h = (255 * chips - chips.new_tensor(MEAN_RGB)[:, None, None]) / 256
        h = F.max_pool2d(F.relu(self.stem(h)), 3, 2)
        for block in self.blocks:
            h = block(h)
        return self.fc(h.mean(dim=(2, 3)))


def _padded_sum(a: Tensor, b: Tensor) -> Tensor:
    """The sum of (B, C, H, W) and (B, D, I, J), each filled up with zeros behind to the larger sizes."""
    sizes = [max(pair) for pair in zip(a.shape[1:], b.shape[1:], strict=True)]
    a, b = (F.pad(x, (0, sizes[2] - x.shape[3], 0, sizes[1] - x.shape[2], 0, sizes[0] - x.shape[1])) for x in (a, b))
    return a + b
