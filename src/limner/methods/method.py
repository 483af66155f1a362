"""A method as one object: what the paper's file says of it, for whoever loads, trains or measures it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffusers.models.modeling_utils import ModelMixin
from diffusers.schedulers.scheduling_ddim import DDIMScheduler

from limner.errors import WeightsError
from limner.methods.options import MethodInfo, Options
from limner.methods.pipeline import FacePipeline
from limner.weights.json_file import read_object
from limner.weights.load import Part, WeightsInfo

Nets = Mapping[str, ModelMixin]


def _no_other(source: str) -> tuple[Nets, WeightsInfo] | None:
    return None


def _nothing(source: str) -> dict[str, Any]:
    return {}


def saved_config(source: str) -> dict[str, Any]:
    """What a saved pipeline says of itself in its `model_index.json`; nothing where the source has none.

    Args:
        source: of weights; a folder, where it isn't `mini` or `official`.

    Raises:
        WeightsError: the file can't be read.
    """
    index = Path(source) / "model_index.json"
    if source in ("mini", "official") or not index.is_file():
        return {}
    saved = read_object(index)
    if not isinstance(saved.get("defaults", {}), dict):
        raise WeightsError(f"{index} is of another layout than a pipeline's: save the pipeline again, or delete it.")
    return saved


@dataclass(frozen=True)
class Method:
    """One method of a paper.

    Attributes:
        pipeline: its class; the class says the options that hold for weights of others' (`paper`).
        nets: by the pipeline's argument, which is a saved pipeline's folder as well, the weights and classes.
        schedule: of the training, where the weights come without.
        scheduled_by: the net beside which training leaves the schedule.
        mini: the options that suit the embedded weights.
        mini_finish: steps of the finish that suits them.
        published: whether the authors published weights, so that there is a source `official`.
        other_source: reads nets from a source that is neither `mini` nor `official` nor a folder of ours; None if it
            can't either.
        config: further arguments of the pipeline, from the source.
        others: sources of its own, in words, for messages.
    """

    pipeline: type[FacePipeline]
    nets: Mapping[str, Part]
    schedule: Callable[[], DDIMScheduler]
    scheduled_by: str
    mini: Options
    mini_finish: int = 0
    published: bool = False
    other_source: Callable[[str], tuple[Nets, WeightsInfo] | None] = _no_other
    config: Callable[[str], dict[str, Any]] = _nothing
    others: str = ""

    @property
    def info(self) -> MethodInfo:
        """What it is called, and its paper."""
        return self.pipeline.paper.info
