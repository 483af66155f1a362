"""How recipes walk a diffusion chain to see what their net would make."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import Tensor


def walk(schedule: DDIMScheduler, x: Tensor, steps: int, predict: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Samples by DDIM.

    Args:
        schedule: of the noise; it is left as it is.
        x: noise, (B, C, h, w).
        steps: evaluations of the net.
        predict: noisy latents and timesteps (B,) to predictions, float32.

    Returns:
        Latents, (B, C, h, w).
    """
    schedule = copy.deepcopy(schedule)
    schedule.set_timesteps(steps)
    for t in schedule.timesteps:
        predicted = predict(x, torch.full((len(x),), int(t), device=x.device))
        x = schedule.step(predicted, int(t), x, return_dict=False)[0]
    return x
