"""What a U-Net remembers of reference pictures (ReF-LDM's CacheKV): an object that one pass makes and others are given.

A reference runs through the same net as the picture that is being restored, clean and at timestep 0. The keys and
values of every attention layer on its way are kept; later passes attend to them beside their own. Nothing is stored in
the net, so gradients, checkpointing and threads need no care.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class LayerCache(NamedTuple):
    """One attention layer's share of a `ReferenceCache`; shapes as there."""

    keys: Tensor
    values: Tensor
    bias: Tensor | None


@dataclass(frozen=True)
class ReferenceCache:
    """Keys and values of n references for each row of a batch.

    Attributes:
        layers: for every attention layer in the order of the net, keys and values, each
            (B, heads, n * tokens, head_channels), the tokens of the first reference first.
        bias: (B, n), added to the attention logits of all tokens of a reference: 0, -inf for one that is absent,
            log k for one that stands for k alike. None is 0 everywhere, which is faster. Keys and values of one row
            may serve several rows of it.
        count: n.
    """

    layers: tuple[tuple[Tensor, Tensor], ...]
    bias: Tensor | None
    count: int

    @property
    def batch(self) -> int:
        return self.layers[0][0].shape[0]

    @property
    def nbytes(self) -> int:
        """Memory of the keys and values."""
        return sum(part.nbytes for pair in self.layers for part in pair)

    def layer(self, number: int) -> LayerCache:
        return LayerCache(*self.layers[number], self.bias)

    def repeat(self, times: int) -> ReferenceCache:
        """All rows, `times` times over."""
        layers = tuple((keys.repeat(times, 1, 1, 1), values.repeat(times, 1, 1, 1)) for keys, values in self.layers)
        return ReferenceCache(layers, None if self.bias is None else self.bias.repeat(times, 1), self.count)


def stack(caches: Sequence[ReferenceCache]) -> ReferenceCache:
    """The rows of several caches one below the other; where one has fewer references than another, they are absent."""
    most = max(cache.count for cache in caches)

    def rows(parts: Sequence[Tensor]) -> Tensor:
        tokens = max(part.shape[2] for part in parts)
        return torch.cat([F.pad(part, (0, 0, 0, tokens - part.shape[2])) for part in parts])

    layers = tuple(
        (rows([keys for keys, _ in layer]), rows([values for _, values in layer]))
        for layer in zip(*(cache.layers for cache in caches), strict=True)
    )
    if all(cache.bias is None and cache.count == most for cache in caches):
        return ReferenceCache(layers, None, most)
    device = layers[0][0].device
    biases = [
        torch.zeros(cache.batch, cache.count, device=device) if cache.bias is None else cache.bias for cache in caches
    ]
    padded = [F.pad(bias, (0, most - bias.shape[1]), value=-torch.inf) for bias in biases]
    return ReferenceCache(layers, torch.cat(padded), most)


def collect(layers: Sequence[tuple[Tensor, Tensor]], present: Tensor, stands_for: int = 1) -> ReferenceCache:
    """Sorts what a pass over all present references read.

    Args:
        layers: keys and values of each layer, (P, heads, tokens, head_channels) for the P places where `present` is
            true, row by row.
        present: (B, n) bool.
        stands_for: how many alike each reference stands for.
    """
    whole = bool(present.all())
    count = present.shape[1]

    def sort(part: Tensor) -> Tensor:
        if not whole:
            part = part.new_zeros(present.numel(), *part.shape[1:]).index_put((present.flatten(),), part)
        return part.unflatten(0, present.shape).transpose(1, 2).flatten(2, 3)

    bias = None
    if count and (not whole or stands_for > 1):
        bias = torch.full(present.shape, math.log(stands_for), device=present.device)
        bias = bias.masked_fill(~present, -torch.inf)
    return ReferenceCache(tuple((sort(keys), sort(values)) for keys, values in layers), bias, count)


def attend(query: Tensor, key: Tensor, value: Tensor, references: LayerCache | None) -> Tensor:
    """Softmax attention over the own tokens and those of the references.

    Args:
        query, key, value: (B, heads, tokens, head_channels).
        references: of B rows, or of one for all.

    Returns:
        (B, heads, tokens, head_channels).
    """
    mask = None
    if references is not None:
        batch, _, own, _ = key.shape
        keys, values = (_expand(part, batch).to(key.dtype) for part in (references.keys, references.values))
        key, value = torch.cat([key, keys], dim=2), torch.cat([value, values], dim=2)
        if references.bias is not None:
            tokens = keys.shape[2] // references.bias.shape[1]
            mask = F.pad(references.bias.repeat_interleave(tokens, dim=1), (own, 0))[:, None, None]
    if query.requires_grad and query.dtype == torch.bfloat16 and query.device.type == "cpu":
        # torch's backward pass in bf16 is slower than in fp32 there: a training step took a quarter longer
        with torch.autocast("cpu", enabled=False):
            mixed = F.scaled_dot_product_attention(query.float(), key.float(), value.float(), mask)
            return mixed.to(query.dtype)
    return F.scaled_dot_product_attention(query, key, value, None if mask is None else mask.to(query.dtype))


def _expand(part: Tensor, batch: int) -> Tensor:
    return part.expand(batch, *part.shape[1:])
