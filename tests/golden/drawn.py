"""Random numbers by name: the same on every machine and with every version, unlike PyTorch's generators.

NumPy keeps the stream of `RandomState` as it is for ever, so that weights and inputs needn't be stored.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from math import prod, sqrt

import numpy as np
import torch
from torch import Tensor

Tensors = dict[str, Tensor]
Shape = tuple[int, ...]


def stream(name: str) -> np.random.RandomState:
    """The stream that belongs to a name."""
    return np.random.RandomState(zlib.crc32(name.encode()))


def normal(name: str, *shape: int) -> Tensor:
    """Standard normal numbers, float32."""
    return torch.from_numpy(stream(name).standard_normal(shape)).float()


def picture(name: str, *shape: int) -> Tensor:
    """Smooth shapes with some noise, (B, 3, H, W) float32 in [0, 1]."""
    coarse = torch.from_numpy(stream(name).uniform(0, 1, (*shape[:2], 5, 5))).float()
    smooth = torch.nn.functional.interpolate(coarse, shape[2:], mode="bilinear")
    return (smooth + 0.03 * normal(f"{name}, noise", *shape)).clamp(0, 1)


def weights(shapes: Mapping[str, Shape], salt: str, gains: Mapping[str, float] | None = None) -> Tensors:
    """Weights of every layer, none zero, as float16, which float32 holds exactly.

    Args:
        shapes: of the tensors by their names.
        salt: of the net, so that nets of the same names differ.
        gains: what to multiply tensors by whose names end so.
    """
    drawn = {}
    for name, shape in shapes.items():
        tensor = normal(f"{salt}: {name}", *shape)
        if len(shape) > 1:
            tensor /= sqrt(prod(shape[1:]))
        else:
            tensor = 1 + 0.1 * tensor if name.endswith(("weight", "running_var")) else 0.05 * tensor
        gain = next((gain for end, gain in (gains or {}).items() if name.endswith(end)), 1.0)
        drawn[name] = (gain * tensor).half()
    return drawn
