"""A patch discriminator: says of every patch of a picture whether it looks real (Isola et al. 2017)."""

from __future__ import annotations

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from limner.nets.initial import keep_variance


class PatchDiscriminator(nn.Module):
    """Strided convolutions, leaky ReLU, one logit for each patch of about 70 px.

    Args:
        width: channels of the first layer; they double with each further one, up to eightfold.
        layers: strided layers.
    """

    def __init__(self, width: int = 64, layers: int = 3):
        super().__init__()
        channels = [3, *(width * min(2**i, 8) for i in range(layers + 1))]
        self.convs = nn.ModuleList(
            nn.Conv2d(a, b, 4, stride=2 if i < layers else 1, padding=1) for i, (a, b) in enumerate(pairwise(channels))
        )
        # no batch statistics: fakes and reals are judged in batches too small for them
        self.norms = nn.ModuleList(nn.GroupNorm(8, b) for b in channels[2:])
        self.head = nn.Conv2d(channels[-1], 1, 4, padding=1)
        keep_variance(self)

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, H, W) in [-1, 1] to logits (B, 1, h, w), high for real."""
        h = F.leaky_relu(self.convs[0](image), 0.2)
        for conv, norm in zip(list(self.convs)[1:], self.norms, strict=True):
            h = F.leaky_relu(norm(conv(h)), 0.2)
        return self.head(h)
