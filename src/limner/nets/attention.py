"""Self-attention of the U-Net, and what a pass through the net does at each of its layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Protocol

import torch
from torch import Tensor, nn

from limner.nets.blocks import group_norm, zeroed
from limner.nets.cachekv import LayerCache, ReferenceCache, attend


class Attention(nn.Module):
    """Multi-head self-attention over all positions, plus a skip. Channels are split into heads first, and each head's
    share holds its query, key and value, as in the published checkpoints.

    With `positions`, sinusoids of a token's place are added to its query and its key (Carion et al. 2020), and the
    layer begins by copying: each token attends to its own place, in the references as well, and takes over a little of
    what stands there. The published nets have to find out by themselves what references are for; a small net with
    little time didn't.
    """

    def __init__(self, channels: int, head_channels: int, groups: int, positions: bool = False):
        super().__init__()
        self.heads = channels // head_channels
        # of each sinusoid in each head: at 2.5 a place weighs some 20 times as much as its neighbour
        self.position_gain = nn.Parameter(torch.full((self.heads, 1, head_channels), 2.5)) if positions else None
        self.norm = group_norm(groups, channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.out = zeroed(nn.Conv2d(channels, channels, 1))

    @torch.no_grad()
    def begin_by_copying(self) -> None:
        """Values are the input itself, and a twentieth of what is attended to is added."""
        channels = self.out.in_channels
        identity = torch.eye(channels).reshape(self.heads, -1, channels)
        self.qkv.weight.reshape(self.heads, 3, -1, channels)[:, 2] = identity
        self.out.weight.copy_(0.05 * torch.eye(channels)[:, :, None, None])

    def forward(self, x: Tensor, references: Sequence[LayerCache | None] = (None,)) -> Tensor:
        """Attends within each row and, beside it, to references.

        Args:
            x: (k * B, C, H, W).
            references: k of them, each for B successive rows.
        """
        return self.mix(x, *self.read(x), references)

    def read(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Query, key and value, each (B, heads, tokens, head_channels)."""
        batch, channels, height, width = x.shape
        split = batch, self.heads, 3 * channels // self.heads, height * width
        qkv = self.qkv(self.norm(x)).reshape(split).transpose(2, 3)
        query, key, value = (part.contiguous() for part in qkv.chunk(3, dim=3))
        if self.position_gain is not None:
            place = sinusoids(height, width, query.shape[3]).to(query.device)
            place = (self.position_gain * place).to(query.dtype)
            query, key = query + place, key + place
        return query, key, value

    def mix(
        self, x: Tensor, query: Tensor, key: Tensor, value: Tensor, references: Sequence[LayerCache | None] = (None,)
    ) -> Tensor:
        """The output, from what `read` gave for x."""
        parts = (part.chunk(len(references)) for part in (query, key, value))
        mixed = [attend(*part) for part in zip(*parts, references, strict=True)]
        whole = mixed[0] if len(mixed) == 1 else torch.cat(mixed)
        return x + self.out(whole.transpose(2, 3).reshape(x.shape))


def by_head(x: Tensor, heads: int) -> Tensor:
    """(B, C, h, w) to tokens (B, heads, h * w, C / heads), each whole in memory, without which torch doesn't fuse the
    attention in fp32."""
    return x.unflatten(1, (heads, -1)).flatten(3).transpose(2, 3).contiguous()


@lru_cache(maxsize=16)
@torch.inference_mode(False)  # what is kept may be asked for again in training
def sinusoids(height: int, width: int, channels: int) -> Tensor:
    """Sines and cosines of the rows and columns of a grid: (height * width, channels), `channels` a multiple of 4.

    Wavelengths run from 3 tokens to 72; the product of two places' vectors falls with their distance.
    """
    turns = 2 * math.pi / (3 * 24 ** torch.linspace(0, 1, channels // 4))
    rows, columns = (torch.arange(side)[:, None] * turns for side in (height, width))
    rows, columns = (torch.cat([angles.cos(), angles.sin()], dim=1) for angles in (rows, columns))
    grid = [rows[:, None].expand(-1, width, -1), columns[None].expand(height, -1, -1)]
    return torch.cat(grid, dim=2).flatten(0, 1)


AfterAttention = Callable[[int, Tensor], Tensor]
"""From the number of an attention layer and its output to what the net goes on with."""


class Pass(Protocol):
    """What happens at the attention layers, which meet it in the order of the net."""

    @property
    def done(self) -> bool:
        """Whether the rest of the net can be left out."""
        ...

    def __call__(self, attention: Attention, x: Tensor) -> Tensor: ...


class MainPass:
    """Attends to references; k caches make k copies of what reaches the first layer.

    Args:
        caches: None stands for no references.
        after_attention: what follows each layer, or None.
    """

    done = False

    def __init__(self, caches: Sequence[ReferenceCache | None], after_attention: AfterAttention | None = None):
        self.caches = caches
        self.after_attention = after_attention
        self.layer = 0

    def __call__(self, attention: Attention, x: Tensor) -> Tensor:
        if self.layer == 0:
            x = copies(x, len(self.caches))
        number = self.layer
        self.layer += 1
        references = [None if cache is None else cache.layer(number) for cache in self.caches]
        x = attention(x, references)
        return x if self.after_attention is None else self.after_attention(number, x)


class ReferencePass:
    """Keeps the keys and values of every layer, and is done at the last: what comes after it leaves no trace.

    Args:
        layers: how many attention layers the net has.
    """

    def __init__(self, layers: int):
        self.layers = layers
        self.found: list[tuple[Tensor, Tensor]] = []

    @property
    def done(self) -> bool:
        return len(self.found) == self.layers

    def __call__(self, attention: Attention, x: Tensor) -> Tensor:
        query, key, value = attention.read(x)
        self.found.append((key, value))
        return x if self.done else attention.mix(x, query, key, value)


def copies(x: Tensor, count: int) -> Tensor:
    """The batch `count` times over, in the same memory layout."""
    return x if count == 1 else torch.cat([x] * count)
