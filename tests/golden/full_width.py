"""LD-BFR's injection blocks at the published width, with weights drawn by their names."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from math import sqrt

import torch
from torch import Tensor, nn

from limner.nets.attention import Attention
from limner.nets.injection import FusionBlock, Injection, ModulationBlock
from limner.weights.formats.ldbfr import FUSION, MODULATION

from .drawn import Shape, Tensors

BLOCKS = {"enc_r2": (448, 1), "enc_r4": (672, 2), "dec_r2": (448, 1), "dec_r4": (672, 2)}
"""Channels and level of each."""


def drawn(shapes: Mapping[str, Shape]) -> Tensors:
    """Weights of a block: a CPU generator for each, seeded with its name."""
    tensors = {}
    for name, shape in shapes.items():
        generator = torch.Generator().manual_seed(zlib.crc32(name.encode()) & 0x7FFFFFFF)
        tensor = torch.randn(*shape, generator=generator)
        if tensor.dim() > 1:
            tensor /= sqrt(tensor[0].numel())
        else:
            tensor = 1 + 0.1 * tensor if name.endswith("weight") else 0.05 * tensor
        tensors[name] = tensor
    return tensors


def fingerprint(tensor: Tensor) -> dict[str, float]:
    """What tells whether this version of PyTorch draws the same numbers."""
    return {"sum": tensor.double().sum().item(), "first": tensor.flatten()[0].item()}


def filled(net: nn.Module, tensors: Tensors, table: Mapping[str, str]) -> nn.Module:
    """A net with those of the tensors that the table of layers names."""
    ours = {
        f"{table[layer]}.{kind}": t
        for name, t in tensors.items()
        for layer, _, kind in [name.rpartition(".")]
        if layer in table
    }
    own = net.state_dict()
    net.load_state_dict({name: tensor.reshape(own[name].shape) for name, tensor in ours.items()})
    return net


def parts(name: str) -> tuple[nn.Module, nn.Module, Callable[[Tensor], Tensor], dict[str, str]]:
    """Attention and injection block, still empty, the way of F to their level, and the table of the block's layers."""
    channels, level = BLOCKS[name]
    with torch.device("meta"):
        injection = Injection()
    shuffled = injection.config["condition_channels"] // round(injection.ratio(level)) ** 2
    if name.startswith("enc"):
        block, table = FusionBlock(channels, shuffled, 32, 32, positions=False), FUSION
    else:
        block, table = ModulationBlock(channels, shuffled, 32, positions=False), MODULATION
    return Attention(channels, 32, 32), block, lambda feature: injection.condition(feature, level), table


def shapes(name: str) -> dict[str, Shape]:
    """Shapes of a block's tensors under the authors' names."""
    attention, block, _, table = parts(name)
    found = {}
    for net, names in ((attention, ATTENTION), (block, table)):
        theirs = {ours: layer for layer, ours in names.items()}
        for key, tensor in net.state_dict().items():
            layer, _, kind = key.rpartition(".")
            found[f"{theirs[layer]}.{kind}"] = tuple(tensor.shape)
    return found


ATTENTION = {"norm": "norm", "qkv": "qkv", "proj_out": "out"}


def block(name: str, tensors: Tensors | None = None) -> Callable[[Tensor, Tensor], Tensor]:
    """Attention and injection of a place in the U-Net, filled: of x (B, C, h, w) and F (B, 256, h', w').

    Args:
        name: one of `BLOCKS`.
        tensors: under the authors' names; drawn if not given.
    """
    attention, inside, condition, table = parts(name)
    tensors = tensors or drawn(shapes(name))
    attention, inside = filled(attention, tensors, ATTENTION), filled(inside, tensors, table)
    return lambda x, feature: inside(attention(x), condition(feature))
