"""What a training run is made of. Each stage of each method is one function that returns a `Recipe`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
import torch
from diffusers.models.modeling_utils import ModelMixin
from diffusers.schedulers.scheduling_utils import SchedulerMixin

Batch = dict[str, torch.Tensor]
Loss = Callable[[torch.nn.Module, Batch, torch.Generator], torch.Tensor]


class Samples(Protocol):
    """The endless stream of training samples: sample `n` of the run depends on (seed, n) alone, so that a run
    which is stopped and resumed sees exactly what an unbroken one would have seen."""

    def __getitem__(self, n: int) -> Batch: ...


class Stateful(Protocol):
    """Anything that can be saved and resumed."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any]) -> None: ...


@dataclass
class Recipe:
    """One training stage.

    Attributes:
        name: of the stage, as in `limner train NAME`.
        model: what is trained and, at the end, saved.
        data: the stream of samples.
        loss: (model, batch, CPU generator) to a scalar.
        steps, batch: optimiser steps, and samples a step.
        accumulate: micro-batches that a step's samples are divided into.
        lr, final_lr, warmup: linear warm-up over `warmup` steps to `lr`, then a cosine to `final_lr`
            (equal to `lr`: constant).
        lr_factors: by the beginning of parameters' names, what `lr` is multiplied by for those; 1 for all others.
        betas, weight_decay: of AdamW.
        clip: largest gradient norm, or None.
        ema: decay of the moving average that is saved instead of the raw weights, or None.
        precision: of the forward pass; a processor without bf16 computes in fp32.
        export: precision of the weights saved at the end.
        validate: measures on the validation split, or None.
        preview: a contact sheet, (H, W, 3) uint8, or None.
        seed: of data order and noise.
        scheduler: the noise schedule of a diffusion model, saved beside the weights, which mean nothing without it.
        memory: what the loss keeps from step to step (a discriminator, say), saved and resumed with the state.
    """

    name: str
    model: ModelMixin
    data: Samples
    loss: Loss
    steps: int
    batch: int
    lr: float
    final_lr: float
    accumulate: int = 1
    warmup: int = 0
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0
    clip: float | None = None
    ema: float | None = None
    precision: Literal["fp32", "bf16"] = "fp32"
    export: Literal["fp32", "fp16"] = "fp32"
    validate: Callable[[torch.nn.Module], dict[str, float]] | None = None
    preview: Callable[[torch.nn.Module], np.ndarray] | None = None
    seed: int = 0
    scheduler: SchedulerMixin | None = None
    memory: Stateful | None = None
    lr_factors: Mapping[str, float] = field(default_factory=dict)
