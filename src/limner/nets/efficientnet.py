"""EfficientNet-Lite0 (Tan & Le 2019, without squeeze-and-excitation): features that have seen the world.

It measures and it teaches; nothing that restores needs it. Its batch normalisations are folded into the convolutions.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from limner.nets.blocks import Parts


@dataclass(frozen=True)
class Stage:
    """Blocks of one kind.

    Attributes:
        blocks: how many.
        kernel: side of the depthwise convolution.
        stride: of the first block.
        expansion: how many times as many channels a block computes with.
        channels: that come out.
    """

    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
LEVELS = (0, 2, 4, 10, 15)
"""The last blocks at 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture's side."""
CHANNELS = (16, 24, 40, 112, 320)
"""Of those blocks' outputs."""
CENTRE, SPREAD = 0.498, 0.502
"""The published preprocessing: (x - CENTRE) / SPREAD for x in [0, 1]."""


class Convolution(nn.Conv2d):
    """A convolution padded as TensorFlow pads: where a side needs an odd number of zeros, the one more comes last."""

    def forward(self, input: Tensor) -> Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        down, right = (max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in input.shape[-2:])
        if down or right:
            input = F.pad(input, (right // 2, right - right // 2, down // 2, down - down // 2))
        return super().forward(input)


class InvertedBlock(nn.Module):
    """Pointwise expansion, depthwise convolution, pointwise projection; added to its input where sizes agree."""

    def __init__(self, ins: int, stage: Stage, first: bool):
        super().__init__()
        inner, stride = ins * stage.expansion, stage.stride if first else 1
        self.expand = Convolution(ins, inner, 1) if stage.expansion > 1 else None
        self.depthwise = Convolution(inner, inner, stage.kernel, stride, groups=inner)
        self.project = Convolution(inner, stage.channels, 1)
        self.adds = stride == 1 and ins == stage.channels

    def forward(self, x: Tensor) -> Tensor:
        h = x if self.expand is None else F.relu6(self.expand(x))
        h = self.project(F.relu6(self.depthwise(h)))
        return x + h if self.adds else h


class EfficientNetLite0(ModelMixin, ConfigMixin):
    """The published net of 4.7 million parameters and 1,000 classes of ImageNet."""

    @register_to_config
    def __init__(self) -> None:
        super().__init__()
        self.stem = Convolution(3, 32, 3, 2)
        blocks, channels = [], 32
        for stage in STAGES:
            for number in range(stage.blocks):
                blocks.append(InvertedBlock(channels, stage, first=number == 0))
                channels = stage.channels
        self.blocks = Parts(blocks)
        self.head = Convolution(channels, 1280, 1)
        self.classes = nn.Linear(1280, 1000)

    def features(self, pictures: Tensor) -> list[Tensor]:
        """(B, 3, H, W) in [0, 1] to the outputs of `LEVELS`, (B, C, h, w) with `CHANNELS`."""
        found = []
        h = self._stem(pictures)
        for number, block in enumerate(self.blocks):
            h = block(h)
            if number in LEVELS:
                found.append(h)
        return found

    def pooled(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1], 224 px as published, to what the classes are told by, (B, 1280)."""
        h = self._stem(pictures)
        for block in self.blocks:
            h = block(h)
        return F.relu6(self.head(h)).mean(dim=(2, 3))

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] to logits (B, 1000)."""
        return self.classes(self.pooled(pictures))

    def _stem(self, pictures: Tensor) -> Tensor:
        return F.relu6(self.stem((pictures - CENTRE) / SPREAD))
