"""What the processes of one run must agree on beyond the gradients of the model, which accelerate takes care of."""

from __future__ import annotations

import torch
from torch import Tensor, distributed, nn


def _alone() -> bool:
    return not (distributed.is_available() and distributed.is_initialized())


def average_gradients(net: nn.Module) -> None:
    """Gives every process the mean of all processes' gradients."""
    if _alone():
        return
    for parameter in net.parameters():
        if parameter.grad is not None:
            distributed.all_reduce(parameter.grad)
            parameter.grad /= distributed.get_world_size()


def same_everywhere(tensor: Tensor) -> Tensor:
    """The first process's tensor, in every process."""
    if _alone():
        return tensor
    agreed = torch.clone(tensor, memory_format=torch.contiguous_format)
    distributed.broadcast(agreed, src=0)
    return agreed
