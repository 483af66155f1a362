"""What the processes of one run must agree on beyond the gradients of the model, which accelerate takes care of."""

from __future__ import annotations

import torch
from torch import Tensor, distributed, nn


def _alone() -> bool:
    return not (distributed.is_available() and distributed.is_initialized())


def average(tensor: Tensor) -> Tensor:
    """The mean of all processes' tensors, in place of this one's."""
    if not _alone():
        distributed.all_reduce(tensor)
        tensor /= distributed.get_world_size()
    return tensor


def average_gradients(net: nn.Module) -> None:
    """Gives every process the mean of all processes' gradients."""
    for parameter in net.parameters():
        if parameter.grad is not None:
            average(parameter.grad)


def gradient_norm(gradient: Tensor, shared: bool) -> Tensor:
    """The norm of a gradient as one process would have it that saw the samples of all.

    Args:
        gradient: of the mean over this process's samples.
        shared: whether it is by something that all processes share, or by this process's own part of a batch.
    """
    if _alone():
        return gradient.norm()
    if shared:
        return average(gradient.contiguous()).norm()
    # the mean over all samples is the mean of the processes' means, each of which depends on its own part alone
    return (average(gradient.square().sum()) / distributed.get_world_size()).sqrt()


def share(count: int, device: torch.device) -> float:
    """What a mean over `count` things weighs in the mean of all processes' means, so that each thing counts alike."""
    if _alone():
        return 1.0
    return count / max(float(average(torch.tensor(float(count), device=device))), 1e-9)


def shared_mean(values: Tensor, count: int) -> Tensor:
    """The mean of values of `count` things, of which each counts alike whichever process has how many; of none it is
    zero, with a gradient."""
    weight = share(count, values.device)
    return weight * values.mean() if count else values.sum()


def any_process(here: bool, device: torch.device) -> bool:
    """Whether it is so in any process."""
    return here if _alone() else float(average(torch.tensor(float(here), device=device))) > 0


def same_everywhere(tensor: Tensor) -> Tensor:
    """The first process's tensor, in every process."""
    if _alone():
        return tensor
    agreed = torch.clone(tensor, memory_format=torch.contiguous_format)
    distributed.broadcast(agreed, src=0)
    return agreed
