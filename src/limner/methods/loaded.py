"""A method joined with weights: the pipeline, its finish, what to tell about the weights, and the options that suit
them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import Tensor, nn

from limner.errors import LimnerError, WeightsError
from limner.methods.crops import per_face
from limner.methods.finish import Finisher
from limner.methods.method import Method, Nets, saved_config
from limner.methods.options import Options
from limner.methods.pipeline import FacePipeline, References, Restored
from limner.methods.schedules import load_schedule, swap
from limner.weights import find
from limner.weights.load import WeightsInfo, load_parts

Pipeline = TypeVar("Pipeline", bound=FacePipeline)


@dataclass(frozen=True)
class LoadedMethod:
    """A pipeline that is ready to run.

    Attributes:
        pipeline: works on aligned crops.
        info: name, licence and origin of the weights, and the side of the crops in pixels.
        finisher: what may be laid over a restoration; None where the weights come without.
        finish: the steps of it that suit them.
    """

    pipeline: FacePipeline
    info: WeightsInfo
    finisher: Finisher | None = None
    finish: int = 0

    @property
    def options(self) -> Options:
        """What the weights are best run with."""
        return self.pipeline.options

    @property
    def nets(self) -> list[nn.Module]:
        """All that run."""
        parts = [*self.pipeline.components.values()]
        parts += [self.finisher.prior] if self.finisher else []
        return [part for part in parts if isinstance(part, nn.Module)]

    def pipeline_of(self, kind: type[Pipeline]) -> Pipeline:
        """The pipeline, for a measurement of one method's own parts.

        Raises:
            LimnerError: if it is another method's.
        """
        if not isinstance(self.pipeline, kind):
            own, wanted = self.pipeline.paper.info.name, kind.paper.info.name
            raise LimnerError(f"The method '{own}' can't be measured so: measure {wanted}.")
        return self.pipeline

    def check(self, finish: int) -> Finisher | None:
        """What finishes with so many steps; None for 0.

        Raises:
            LimnerError: if it can't, or the weights come without.
        """
        if not finish:
            return None
        if self.finisher is None:
            raise LimnerError(f"The weights {self.info.name} have no finish: leave it out, or give 0.")
        self.finisher.check(finish)
        return self.finisher

    def __call__(
        self,
        crops: Tensor,
        *,
        finish: int = 0,
        references: References | None = None,
        samples: int = 1,
        generator: torch.Generator | Sequence[torch.Generator] | None = None,
        batch_size: int = 8,
        progress: Callable[[int, int], None] | None = None,
        **options: Any,
    ) -> Restored:
        """Restores faces as the pipeline does, and finishes them.

        Args:
            crops, references, samples, generator, batch_size, progress, options: as for `FacePipeline`.
            finish: steps of the finish, 0 (none) to 20.

        Raises:
            LimnerError: if an option lies outside its range, there is no finish, or the nets gave no finite numbers.
        """
        finisher = self.check(finish)
        results = len(crops) * samples
        generators = per_face(generator, results)
        sampled = 0

        def sampling(done: int, total: int) -> None:
            nonlocal sampled
            sampled = total
            if progress:
                progress(done, total + finish * results)

        def finishing(done: int) -> None:
            if progress:
                progress(sampled + done, sampled + finish * results)

        how = {"references": references, "samples": samples, "generator": generators, "batch_size": batch_size}
        out = self.pipeline.restore(crops, **how, progress=sampling, **options)
        if finisher:
            out.images = finisher(out.images, finish, generators, batch_size, finishing)
        if not out.images.isfinite().all():
            name = self.pipeline.paper.info.name
            raise LimnerError(f"The method '{name}' gave no finite numbers: give it milder options, or other weights.")
        return out


def load_method(method: Method, source: str = "mini", scheduler: str | None = None) -> LoadedMethod:
    """A method with its weights, ready to run.

    Args:
        method: which.
        source: `mini`, `official`, a folder as a pipeline saves it, or another source that the method knows.
        scheduler: another one than the paper's, see `schedules.SCHEDULERS`.

    Raises:
        LimnerError: if there is no such scheduler.
        WeightsError: if the weights are missing or don't fit.
    """
    if source == "official" and not method.published:
        others = ", ".join(["mini", "a folder", *([method.others] if method.others else [])])
        raise WeightsError(f"The authors of {method.info.paper} published no weights: give {others}.")
    nets, info = method.other_source(source) or _parts(method, source)
    pipeline = method.pipeline(**nets, scheduler=_schedule(method, source), **method.config(source))
    defaults = asdict(method.mini) if source == "mini" else saved_config(source).get("defaults", {})
    pipeline.register_to_config(defaults=defaults)
    if scheduler:
        pipeline = swap(pipeline, scheduler)
    info = replace(info, size=pipeline.size)
    if source != "mini":
        return LoadedMethod(pipeline, info)  # weights of others' are used as they were published
    finisher = Finisher.mini() if method.mini_finish else None
    return LoadedMethod(pipeline, info, finisher, method.mini_finish)


def _parts(method: Method, source: str) -> tuple[Nets, WeightsInfo]:
    loaded, info = load_parts(method.info.name, method.nets, source)
    return loaded.nets, info


def _schedule(method: Method, source: str) -> DDIMScheduler:
    """As a pipeline saves it, or as training left it beside a net."""
    if source == "mini":
        folders = [find(f"mini/{method.nets[method.scheduled_by].weights}").path()]
    else:
        folders = [Path(source) / "scheduler", Path(source) / method.scheduled_by]
    return load_schedule(*folders, default=method.schedule)
