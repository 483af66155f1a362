"""Inception-v3 as FID knows it (Szegedy et al. 2016): TensorFlow's net of 2015-12-05, under the names of its port to
PyTorch.

It differs from torchvision's net of the same names: padding isn't counted in mean pooling, the last block pools by the
maximum, and there are 1,008 classes. Their features are not those of FID.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

FEATURES = 2048
"""Numbers that a picture becomes: the third pooling's."""
SIDE = 299
"""px of a picture's sides."""
EPSILON = 1e-3
"""Of the batch normalisations."""

Kernel = tuple[int, int]
Step = tuple[int, Kernel]
"""A convolution's channels and its kernel."""


class Convolution(nn.Module):
    """A convolution without bias, normalised and rectified; padded to keep the size, unless its stride is 2."""

    def __init__(self, ins: int, outs: int, kernel: Kernel, stride: int = 1, padded: bool = True):
        super().__init__()
        padding = (kernel[0] // 2, kernel[1] // 2) if padded else 0
        self.conv = nn.Conv2d(ins, outs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outs, eps=EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


class Mixed(nn.Module):
    """Branches of convolutions side by side, and one of a pooling.

    Args:
        ins: channels that come in.
        branches: by name, the convolutions of each. One of several is called by the branch and its number, one alone
            by the branch.
        pool: channels of the convolution after the pooling; 0 for a block that halves the sides, by a maximum and by
            the last convolution of each branch.
        largest: whether the pooling takes the maximum rather than the mean.
    """

    def __init__(self, ins: int, branches: Mapping[str, Sequence[Step]], pool: int, largest: bool = False):
        super().__init__()
        self.halves, self.largest = pool == 0, largest
        self.chains: list[list[str]] = []
        for branch, steps in branches.items():
            names, channels = [], ins
            for number, (outs, kernel) in enumerate(steps, start=1):
                last = self.halves and number == len(steps)
                names.append(branch if len(steps) == 1 else f"{branch}_{number}")
                self.add_module(names[-1], Convolution(channels, outs, kernel, 2 if last else 1, padded=not last))
                channels = outs
            self.chains.append(names)
        if pool:
            self.branch_pool = Convolution(ins, pool, (1, 1))

    def forward(self, x: Tensor) -> Tensor:
        found = []
        for names in self.chains:
            h = x
            for name in names:
                h = self.get_submodule(name)(h)
            found.append(h)
        return torch.cat([*found, self._pooled(x)], dim=1)

    def _pooled(self, x: Tensor) -> Tensor:
        if self.halves:
            return F.max_pool2d(x, 3, 2)
        if self.largest:
            return self.branch_pool(F.max_pool2d(x, 3, 1, padding=1))
        return self.branch_pool(F.avg_pool2d(x, 3, 1, padding=1, count_include_pad=False))


class Forked(Mixed):
    """A block two of whose branches end in two convolutions side by side, 1 x 3 and 3 x 1."""

    def __init__(self, ins: int, largest: bool):
        super().__init__(ins, {"branch1x1": [(320, (1, 1))]}, pool=192, largest=largest)
        self.branch3x3_1 = Convolution(ins, 384, (1, 1))
        self.branch3x3_2a = Convolution(384, 384, (1, 3))
        self.branch3x3_2b = Convolution(384, 384, (3, 1))
        self.branch3x3dbl_1 = Convolution(ins, 448, (1, 1))
        self.branch3x3dbl_2 = Convolution(448, 384, (3, 3))
        self.branch3x3dbl_3a = Convolution(384, 384, (1, 3))
        self.branch3x3dbl_3b = Convolution(384, 384, (3, 1))

    def forward(self, x: Tensor) -> Tensor:
        one = self.branch3x3_1(x)
        two = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        forks = [self.branch3x3_2a(one), self.branch3x3_2b(one), self.branch3x3dbl_3a(two), self.branch3x3dbl_3b(two)]
        return torch.cat([self.get_submodule("branch1x1")(x), *forks, self._pooled(x)], dim=1)


def small(ins: int, pool: int) -> Mixed:
    """A block of 35 x 35 places."""
    branches = {
        "branch1x1": [(64, (1, 1))],
        "branch5x5": [(48, (1, 1)), (64, (5, 5))],
        "branch3x3dbl": [(64, (1, 1)), (96, (3, 3)), (96, (3, 3))],
    }
    return Mixed(ins, branches, pool)


def factored(inner: int) -> Mixed:
    """A block of 17 x 17 places, whose kernels of 7 x 7 are taken apart into rows and columns."""
    row, column = (1, 7), (7, 1)
    branches = {
        "branch1x1": [(192, (1, 1))],
        "branch7x7": [(inner, (1, 1)), (inner, row), (192, column)],
        "branch7x7dbl": [(inner, (1, 1)), (inner, column), (inner, row), (inner, column), (192, row)],
    }
    return Mixed(768, branches, pool=192)


class Inception(ModelMixin, ConfigMixin):
    """The net up to its third pooling."""

    @register_to_config
    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Convolution(3, 32, (3, 3), 2, padded=False)
        self.Conv2d_2a_3x3 = Convolution(32, 32, (3, 3), padded=False)
        self.Conv2d_2b_3x3 = Convolution(32, 64, (3, 3))
        self.Conv2d_3b_1x1 = Convolution(64, 80, (1, 1))
        self.Conv2d_4a_3x3 = Convolution(80, 192, (3, 3), padded=False)
        self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = small(192, 32), small(256, 64), small(288, 64)
        halving = {"branch3x3": [(384, (3, 3))], "branch3x3dbl": [(64, (1, 1)), (96, (3, 3)), (96, (3, 3))]}
        self.Mixed_6a = Mixed(288, halving, pool=0)
        self.Mixed_6b, self.Mixed_6c, self.Mixed_6d, self.Mixed_6e = (factored(n) for n in (128, 160, 160, 192))
        halving = {
            "branch3x3": [(192, (1, 1)), (320, (3, 3))],
            "branch7x7x3": [(192, (1, 1)), (192, (1, 7)), (192, (7, 1)), (192, (3, 3))],
        }
        self.Mixed_7a = Mixed(768, halving, pool=0)
        self.Mixed_7b, self.Mixed_7c = Forked(1280, largest=False), Forked(2048, largest=True)

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 3, 299, 299) in [0, 1] to (B, 2048), as FID takes them."""
        h = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(pictures * 2 - 1)))
        h = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(F.max_pool2d(h, 3, 2)))
        h = F.max_pool2d(h, 3, 2)
        for block in (self.Mixed_5b, self.Mixed_5c, self.Mixed_5d, self.Mixed_6a, self.Mixed_6b, self.Mixed_6c):
            h = block(h)
        for block in (self.Mixed_6d, self.Mixed_6e, self.Mixed_7a, self.Mixed_7b, self.Mixed_7c):
            h = block(h)
        return h.mean(dim=(2, 3))
