"""ReF-LDM's U-Net computed as its authors compute it: the yardstick of `speed_refldm.py`; `einsum_attention` serves
`speed_ldbfr.py` too.

Attention is two einsums around a softmax in float32; references run through the whole net, one after the other; both
halves of guidance are computed from the first layer on, and the half without references attends to as many zero ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import Tensor

import limner.nets.attention
import limner.nets.unet
from limner.nets.attention import ReferencePass
from limner.nets.cachekv import LayerCache, ReferenceCache
from limner.nets.unet import UNet


@contextmanager
def einsum_attention() -> Iterator[None]:
    """Inside, every net attends without the fused kernel."""
    with (
        patch.object(limner.nets.attention, "attend", attend),
        patch.object(F, "scaled_dot_product_attention", lambda *qkv: attend(*qkv, references=None)),
    ):
        yield


@contextmanager
def whole_reference_pass() -> Iterator[None]:
    """Inside, the pass over the references goes on behind the last attention layer."""
    with patch.object(limner.nets.unet, "ReferencePass", _WholePass):
        yield


def read_one_by_one(net: UNet, references: Tensor) -> ReferenceCache:
    """As `UNet.read_references`, one reference after the other."""
    caches = [net.read_references(each) for each in references.split(1, dim=1)]
    layers = tuple(
        (torch.cat([keys for keys, _ in layer], dim=2), torch.cat([values for _, values in layer], dim=2))
        for layer in zip(*(cache.layers for cache in caches), strict=True)
    )
    return ReferenceCache(layers, None, len(caches))


def read(net: UNet, references: Tensor) -> ReferenceCache:
    """Both halves of guidance, (n, C, h, w) references: first n zero ones, then these."""
    with einsum_attention(), whole_reference_pass():
        return read_one_by_one(net, torch.stack([references * 0, references]))


def step(net: UNet, x: Tensor, timesteps: Tensor, cache: ReferenceCache) -> Tensor:
    """Both halves of guidance: (1, ...) to (2, ...)."""
    with einsum_attention():
        return net(x.repeat(2, 1, 1, 1), timesteps.repeat(2), cache)


def attend(query: Tensor, key: Tensor, value: Tensor, references: LayerCache | None) -> Tensor:
    """What `limner.nets.cachekv.attend` does, in the plain way."""
    bias = None
    if references is not None:
        rows = (len(key), -1, -1, -1)
        if references.bias is not None:
            tokens = references.keys.shape[2] // references.bias.shape[1]
            own = references.bias.new_zeros(len(references.bias), key.shape[2])
            bias = torch.cat([own, references.bias.repeat_interleave(tokens, dim=1)], dim=1)[:, None, None]
        key = torch.cat([key, references.keys.expand(rows)], dim=2)
        value = torch.cat([value, references.values.expand(rows)], dim=2)
    scale = query.shape[-1] ** -0.25
    logits = torch.einsum("bhtc,bhsc->bhts", query * scale, key * scale).float()
    weights = (logits if bias is None else logits + bias).softmax(dim=-1).to(value.dtype)
    return torch.einsum("bhts,bhsc->bhtc", weights, value)


class _WholePass(ReferencePass):
    @property
    def done(self) -> bool:
        return False
