"""What a training run is made of. Each stage of each method is one function that returns a `Recipe`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Literal, Protocol, TypeVar, runtime_checkable

import torch
from diffusers.models.modeling_utils import ModelMixin
from diffusers.schedulers.scheduling_utils import SchedulerMixin

from limner.train.validation import Report

Net = TypeVar("Net", bound=ModelMixin)
Batch = dict[str, torch.Tensor]
Loss = Callable[[Net, Batch, torch.Generator], torch.Tensor]
"""The net itself, never what wraps it for several processes; a batch; and a generator on the CPU: to a scalar."""
Preset = Literal["mini", "paper"]


class Samples(Protocol):
    """The endless stream of training samples: sample `n` of the run depends on (seed, n) alone, so that a run
    which is stopped and resumed sees exactly what an unbroken one would have seen."""

    def __getitem__(self, n: int) -> Batch: ...


@runtime_checkable
class Stateful(Protocol):
    """Anything that can be saved and resumed."""

    def state_dict(self) -> dict[str, torch.Tensor]:
        """What is saved with the run's state."""
        ...

    def load_state_dict(self, state: Mapping[str, torch.Tensor], path: Path) -> None:
        """Goes on from what `state_dict` gave.

        Args:
            state: the tensors that were saved.
            path: of their file, for errors.

        Raises:
            WeightsError: they aren't what they should be.
        """
        ...


@dataclass(frozen=True)
class Training:
    """How long a net is trained, and by which steps. A preset differs from another in this by a few fields.

    Attributes:
        steps, batch: optimiser steps, and samples a step.
        lr, final_lr, warmup: linear warm-up over `warmup` steps to `lr`, then a cosine to `final_lr`
            (equal to `lr`: constant).
        accumulate: micro-batches that a step's samples are divided into.
        lr_factors: by the beginning of parameters' names, what `lr` is multiplied by for those; 1 for all others.
        betas, weight_decay: of AdamW.
        clip: largest gradient norm, or None.
        ema: decay of the moving average that is saved instead of the raw weights, or None.
        precision: of the forward pass; a processor without bf16 computes in fp32.
        export: precision of the weights saved at the end.
    """

    steps: int
    batch: int
    lr: float
    final_lr: float
    warmup: int = 0
    accumulate: int = 1
    lr_factors: Mapping[str, float] = field(default_factory=dict)
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0
    clip: float | None = None
    ema: float | None = None
    precision: Literal["fp32", "bf16"] = "fp32"
    export: Literal["fp32", "fp16"] = "fp32"


@dataclass(frozen=True)
class MiniTraining(Training):
    """What the trainings of the embedded nets have in common; see `Training`."""

    betas: tuple[float, float] = (0.9, 0.99)
    clip: float | None = 5.0
    ema: float | None = 0.998
    precision: Literal["fp32", "bf16"] = "bf16"
    export: Literal["fp32", "fp16"] = "fp16"


@dataclass(frozen=True)
class Recipe(Generic[Net]):
    """One training stage.

    Attributes:
        name: of the stage, as in `limner train NAME`.
        model: what is trained and, at the end, saved.
        data: the stream of samples.
        loss: (model, batch, CPU generator) to a scalar. If it is `Stateful`, what it keeps from step to step (a
            discriminator, say) is saved and resumed with the state.
        training: how long, and by which steps.
        validation: what is measured and drawn of the net on the validation split, or None.
        seed: of data order and noise.
        scheduler: the noise schedule of a diffusion model, saved beside the weights, which mean nothing without it.
    """

    name: str
    model: Net
    data: Samples
    loss: Loss[Net]
    training: Training
    validation: Callable[[Net], Report] | None = None
    seed: int = 0
    scheduler: SchedulerMixin | None = None
