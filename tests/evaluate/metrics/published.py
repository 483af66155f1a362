"""Files of the published layouts, with random numbers in them."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn


def saved(tensors: dict[str, Tensor], path: Path) -> Path:
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    return path


def filled(net: nn.Module) -> nn.Module:
    """A net with numbers that keep its activations alive, of few dimensions: the same each time."""
    generator = torch.Generator().manual_seed(0)
    for name, tensor in net.state_dict().items():
        if tensor.ndim > 1:
            spread = (2 / tensor[0].numel()) ** 0.5
            tensor.copy_(torch.randn(tensor.shape, generator=generator) * spread)
        elif name.endswith("bias") or name.endswith("mean"):
            tensor.zero_()
    return net
