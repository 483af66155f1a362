"""Small parts that several nets share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, Protocol, TypeVar, cast

import torch.nn.functional as F
from torch import Tensor, nn

Part = TypeVar("Part", bound=nn.Module)


def group_norm(groups: int, channels: int) -> nn.Module:
    """Group normalisation, or none for 0 groups."""
    return nn.GroupNorm(groups, channels) if groups else nn.Identity()


class Parts(nn.ModuleList, Generic[Part]):
    """A `ModuleList` that knows what kind of modules it holds."""

    def __init__(self, parts: Iterable[Part]):
        super().__init__(parts)

    def __iter__(self) -> Iterator[Part]:
        return cast(Iterator[Part], super().__iter__())  # torch types every list as one of any modules


def zeroed(conv: nn.Conv2d, bias: float = 0.0) -> nn.Conv2d:
    """Lets a branch start as nothing, or as a constant, so that the untrained net is close to the identity."""
    nn.init.zeros_(conv.weight)
    if conv.bias is not None:
        nn.init.constant_(conv.bias, bias)
    return conv


def padded(x: Tensor, step: int) -> Tensor:
    """(B, C, H, W) grown downwards and to the right, by its edge, until both sides are multiples of `step`."""
    height, width = x.shape[-2:]
    padding = (0, -width % step, 0, -height % step)
    return F.pad(x, padding, mode="replicate") if any(padding) else x


class UShaped(Protocol):
    """A net with levels: `down`, `shrink` lead to `middle`, `grow` and `up` back; the finest level is the first."""

    down: nn.ModuleList
    shrink: nn.ModuleList
    grow: nn.ModuleList
    up: nn.ModuleList

    @property
    def middle(self) -> nn.Module: ...


def u_shaped(net: UShaped, h: Tensor, doubled: Callable[[Tensor], Tensor]) -> list[Tensor]:
    """What a residual U-Net has at each level on the way up, coarsest first, with sums where Ronneberger et al. 2015
    concatenate.

    Args:
        net: its parts.
        h: what the stem gave.
        doubled: what follows `grow`, to the size of the next finer level.
    """
    skips: list[Tensor] = []
    for blocks, shrink in zip(net.down, net.shrink, strict=True):
        h = blocks(h)
        skips.append(h)
        h = shrink(h)
    levels = [net.middle(h)]
    for blocks, grow, skip in zip(reversed(net.up), reversed(net.grow), reversed(skips), strict=True):
        levels.append(blocks(skip + doubled(grow(levels[-1]))))
    return levels


class ResidualBlock(nn.Module):
    """x + conv(silu(conv(silu(x)))), the last convolution starting at zero: for nets without normalisation."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv2(F.silu(self.conv1(F.silu(x)))).add_(x)  # a new picture's memory costs as much as the sum


class NormedConv(nn.Sequential):
    """3x3 convolution, batch normalisation and, but at the end of a residual branch, ReLU."""

    def __init__(self, before: int, after: int, stride: int = 1, active: bool = True):
        super().__init__(
            nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True) if active else nn.Identity(),
        )


class NormedBlock(nn.Module):
    """relu(x + conv(conv(x))), with batch normalisation."""

    def __init__(self, channels: int):
        super().__init__()
        self.branch = nn.Sequential(NormedConv(channels, channels), NormedConv(channels, channels, active=False))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.branch(x))
