"""Nets computed as the papers' authors compute them: the yardstick of `run.py` (`nothing_fused`), `speed_ldbfr.py` and
`speed_refldm.py`.

Attention is two einsums around a softmax in float32, and a quantiser has its whole table of distances. ReF-LDM's U-Net,
as `speed_refldm.py` asks it here, also runs references through the whole net, one after the other, and computes both
halves of guidance from the first layer on; the half without references attends to as many zero ones.
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
from limner.nets.vqgan import VQGAN


@contextmanager
def nothing_fused() -> Iterator[None]:
    """Inside, every net attends, and every autoencoder quantises, the plain way."""
    with einsum_attention(), patch.object(VQGAN, "nearest", nearest):
        yield


def nearest(net: VQGAN, latent: Tensor) -> Tensor:
    """What `VQGAN.nearest` does, in the plain way."""
    codes = net.codebook.weight
    flat = latent.permute(0, 2, 3, 1).flatten(0, 2)
    squares = flat.square().sum(dim=1, keepdim=True) + codes.square().sum(dim=1)
    distances = squares - 2 * torch.einsum("bd,nd->bn", flat, codes)
    return distances.argmin(dim=1).reshape(len(latent), *latent.shape[2:])


@contextmanager
def einsum_attention() -> Iterator[None]:
    """Inside, every net attends without the fused kernel."""
    with (
        patch.object(limner.nets.attention, "attend", attend),
        patch.object(F, "scaled_dot_product_attention", softmax_attention),
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
    return softmax_attention(query, key, value, bias)


def softmax_attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, scale: float | None = None
) -> Tensor:
    """What `torch.nn.functional.scaled_dot_product_attention` does, in the plain way."""
    root = (query.shape[-1] ** -0.5 if scale is None else scale) ** 0.5
    logits = torch.einsum("...tc,...sc->...ts", query * root, key * root).float()
    weights = (logits if attn_mask is None else logits + attn_mask).softmax(dim=-1).to(value.dtype)
    return torch.einsum("...ts,...sc->...tc", weights, value)


class _WholePass(ReferencePass):
    @property
    def done(self) -> bool:
        return False
