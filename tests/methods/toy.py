"""A fifth method, to show what one takes: its options, its pipeline, its object, and one line in the registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from diffusers.schedulers.scheduling_utils import SchedulerMixin

from limner.declared import declared
from limner.methods.method import Method
from limner.methods.options import MethodInfo, Options
from limner.methods.pipeline import Batch, FacePipeline, Restored
from limner.methods.schedules import difface_schedule
from limner.nets.estimator import Estimator
from limner.weights.load import Part


@dataclass(frozen=True, kw_only=True)
class ToyOptions(Options):
    """The toy's options."""

    info: ClassVar = MethodInfo(
        "toy", "a regressor's estimate, brightened step by step", "Nobody, unpublished", f"{__name__}:TOY"
    )

    steps: int = declared(1, "times that it is brightened", least=0, most=9)
    glow: float = declared(0.1, "how much brighter each step makes it", least=0, most=0.5)


class ToyPipeline(FacePipeline):
    """Its way with one batch."""

    paper: ClassVar[ToyOptions] = ToyOptions()
    without_diffusion = "dull"

    def __init__(self, estimator: Estimator, scheduler: SchedulerMixin, defaults: Mapping[str, Any] | None = None):
        super().__init__(defaults)
        self.register_modules(estimator=estimator, scheduler=scheduler)

    @property
    def size(self) -> int:
        return int(self.estimator.config["sample_size"])

    def sample(self, batch: Batch, options: ToyOptions) -> Restored:
        image = self.estimator(batch.crops.to(self.estimator.device)).float().clamp(0, 1)
        for step in range(options.steps):
            image = image + options.glow
            batch.done(step + 1)
        return Restored(image.clamp(0, 1))


TOY = Method(
    pipeline=ToyPipeline,
    nets={"estimator": Part("difface-estimator", (Estimator,))},
    schedule=difface_schedule,
    scheduled_by="estimator",
    mini=ToyOptions(steps=2),
)
