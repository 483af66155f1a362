"""A method joined with weights: the pipeline, what to tell about the weights, and the settings that suit them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import limner.weights as weights_of
from limner.methods.difface import DifFacePipeline
from limner.methods.schedules import difface_schedule, load_schedule, swap
from limner.weights.load import WeightsInfo


@dataclass(frozen=True)
class Sampling:
    """DifFace's knobs.

    Attributes:
        start: timestep at which the chain is entered, 1 to 999.
        steps: evaluations of the prior; 0 returns the estimate alone.
        eta: 0 (faithful, deterministic) to 1 (most realistic).
    """

    start: int
    steps: int
    eta: float


PAPER = Sampling(start=400, steps=100, eta=0.5)
MINI = Sampling(start=150, steps=15, eta=0.5)
"""Chosen on the validation faces: the embedded prior is weak, so it is trusted with fine detail only."""


@dataclass(frozen=True)
class LoadedMethod:
    """A pipeline that is ready to run.

    Attributes:
        pipeline: works on aligned crops.
        info: name, licence and origin of the weights, and the side of the crops in pixels.
        sampling: what the weights are best run with.
    """

    pipeline: DifFacePipeline
    info: WeightsInfo
    sampling: Sampling


def load_difface(source: str = "mini", scheduler: str | None = None) -> LoadedMethod:
    """DifFace with weights from `mini`, `official` or a folder.

    Raises:
        LimnerError: if there is no such scheduler.
        WeightsError: if the weights are missing or don't fit.
    """
    estimator, unet, info = weights_of.load_difface(source)
    if source == "mini":
        schedule = load_schedule(weights_of.find("mini/difface-prior").path())
    elif source == "official":
        schedule = difface_schedule("epsilon")
    else:  # as a pipeline saves it, or as training left it beside the prior
        schedule = load_schedule(Path(source) / "scheduler", Path(source) / "unet")
    pipeline = DifFacePipeline(estimator, unet, schedule)
    if scheduler:
        pipeline = swap(pipeline, scheduler)
    return LoadedMethod(pipeline, info, MINI if source == "mini" else PAPER)
