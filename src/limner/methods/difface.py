"""DifFace (Yue & Loy, arXiv 2212.06512): a regressor's guess is noised part-way, then denoised by an unconditional
prior.

The posterior p(x0 | y0) is approximated by entering the reverse chain at step N with

    x_N ~ Normal( sqrt(abar_N) f(y0), (1 - abar_N) I )

so that an error of the estimator f is shrunk by sqrt(abar_N) while the prior supplies the detail that f lacks.
A larger N gives more realism and less fidelity (docs/methods/difface.md, eq. (6) to (10)).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from diffusers.models.modeling_utils import ModelMixin
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_utils import SchedulerMixin
from torch import Tensor

from limner.errors import LimnerError
from limner.methods.as_diffusers import AfterStep
from limner.methods.method import Method
from limner.methods.options import DifFaceOptions
from limner.methods.pipeline import Batch, FacePipeline, Restored, walk
from limner.methods.schedules import MultistepSolver, Scheduler, ask_at, difface_schedule, enter
from limner.methods.spectrum import evened
from limner.nets.unet import UNet
from limner.weights.load import Part


@dataclass
class DifFaceOutput(Restored):
    """What DifFace returns.

    Attributes:
        estimates: f(y0) for each face, (B, 3, H, W) in [0, 1].
    """

    estimates: Tensor

    PICTURES: ClassVar = ("images", "estimates")
    PER_FACE: ClassVar = ("estimates",)

    def on_the_way(self) -> dict[str, Tensor]:
        """The estimates."""
        return {"estimate": self.estimates}


class DifFacePipeline(FacePipeline):
    """DifFace on aligned crops; called as `FacePipeline`, with the options of `DifFaceOptions`.

    Args:
        estimator: f, a degraded face in [0, 1] to an estimate in [0, 1] (`SwinIR` or `Estimator`).
        unet: the prior in [-1, 1], noise (or x0) and perhaps a variance out (`UNet`).
        scheduler: any diffusers scheduler over the prior's training schedule; `DDIMScheduler` is the paper's.
        defaults: see `FacePipeline`.
    """

    paper: ClassVar[DifFaceOptions] = DifFaceOptions()
    without_diffusion = "estimator"

    def __init__(
        self,
        estimator: ModelMixin,
        unet: ModelMixin,
        scheduler: SchedulerMixin,
        defaults: Mapping[str, Any] | None = None,
    ):
        super().__init__(defaults)
        self.register_modules(estimator=estimator, unet=unet, scheduler=scheduler)

    @property
    def size(self) -> int:
        """Side in pixels of the crops that the nets were made for."""
        return int(self.unet.config["sample_size"])

    def sample(self, batch: Batch, options: DifFaceOptions) -> DifFaceOutput:
        """Estimates faces, noises the estimates part-way and denoises them (docs/methods/difface.md, eq. (6) to (10)).

        Args:
            batch: of degraded faces.
            options: where the chain is entered and how it is walked; 0 steps give the estimates.

        Raises:
            LimnerError: if so many steps don't fit below the start.
        """
        image = estimate = self.estimate(batch.crops)
        if options.steps:
            noise = batch.noise(estimate.shape[1:], estimate.device)
            image = refine(
                self.unet,
                self.scheduler,
                estimate,
                noise,
                options,
                batch.generators,
                batch.done,
                batch.after_step,
            )
        return DifFaceOutput(image, estimate)

    def estimate(self, queries: Tensor) -> Tensor:
        """f(y0) in float32, clipped to [0, 1] as the chain expects it; from degraded faces, (B, 3, H, W) in [0, 1], to
        the same."""
        guess = self.estimator(queries.to(self.estimator.device))
        return guess.float().clamp(0, 1)


def refine(
    unet: ModelMixin,
    scheduler: Scheduler,
    estimate: Tensor,
    noise: Tensor,
    options: DifFaceOptions,
    generators: list[torch.Generator],
    done: Callable[[int], None] | None = None,
    after_step: AfterStep | None = None,
    guide: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """Noises an estimate to `start` and walks the chain back.

    Args:
        unet, scheduler: of a `DifFacePipeline`.
        estimate: (B, 3, H, W) in [0, 1].
        noise: it is noised with, likewise.
        options: where the chain is entered and how it is walked; at least one step.
        generators: of the noise on the way, on the CPU, one for each face.
        done: called with the number of steps done.
        after_step: see `FacePipeline.restore`.
        guide: from a step's x0, (B, 3, H, W) in [-1, 1], to what the chain goes on with, while the noise stays as the
            net gave it; DDIM alone has such an x0.

    Returns:
        What the estimate became, likewise, its spectrum put right where the weights say how.

    Raises:
        LimnerError: if so many steps don't fit below the start, or another scheduler than DDIM is to be guided.
    """
    scheduler, entry, timesteps = chain(scheduler, options.start, options.steps)
    if guide and not isinstance(scheduler, DDIMScheduler):
        raise LimnerError("A chain is held to known pixels with the scheduler ddim alone: choose that.")
    x = enter(estimate * 2 - 1, noise, scheduler, entry)

    def predict(x: Tensor, level: Tensor) -> Tensor:
        return unet(x, level).float()[:, : x.shape[1]]  # a learned variance lies after it; DDIM has no use for it

    after = dict(zip(timesteps.tolist(), [*timesteps.tolist()[1:], None], strict=True))

    def correct(x0: Tensor, t: int) -> Tensor:
        share = 1.0 if after[t] is None else float(scheduler.alphas_cumprod[after[t]].sqrt())
        return share * (guide(x0) - x0) if guide else torch.zeros_like(x0)

    x = walk(
        x,
        scheduler,
        timesteps,
        predict,
        options.eta,
        generators,
        done,
        correct=correct if guide else None,
        after_step=after_step,
    )
    faces, gains = (x * 0.5 + 0.5).clamp(0, 1), unet.config.get("spectrum")
    return evened(faces, gains) if gains else faces


def chain(template: Scheduler, start: int, steps: int) -> tuple[Scheduler, int, Tensor]:
    """The timesteps of DifFace's chain (docs/methods/difface.md, eq. (7)). With the paper's 400 and 100: 400, and 396,
    392, ..., 0. That the first question is asked one stride below the noise level is how the published results were
    made; the multistep solvers ask at that level: 400, 396, ..., 4.

    Args:
        template: a pipeline's scheduler; it stays as it is, as other threads may use it.
        start: N, at which the chain is entered, 1 to 999.
        steps: evaluations of the prior, 1 to `start`.

    Returns:
        A scheduler of its own for one batch, its timesteps set; the timestep whose noise level the chain is entered
        with; and those the prior is asked at, descending.

    Raises:
        LimnerError: if there is no such start, or so many steps don't fit below it.
    """
    if not 1 <= start <= 999:
        raise LimnerError(f"The start step is {start}: choose 1 to 999 (the paper uses 400).")
    if not 1 <= steps <= start:
        raise LimnerError(f"{steps} steps don't fit below the start step {start}: choose 1 to {start}.")
    scheduler = deepcopy(template)
    if isinstance(scheduler, MultistepSolver):
        ask_at(scheduler, [round(start - done * start / steps) for done in range(steps)])
        return scheduler, start, scheduler.timesteps
    scheduler.set_timesteps(max(round(scheduler.config["num_train_timesteps"] * steps / start), steps + 1))
    return scheduler, int(scheduler.timesteps[-steps - 1]), scheduler.timesteps[-steps:]


DIFFACE = Method(
    pipeline=DifFacePipeline,
    nets={"estimator": Part("difface-estimator", (ModelMixin,)), "unet": Part("difface-prior", (UNet,))},
    schedule=difface_schedule,
    scheduled_by="unet",
    published=True,
    mini=DifFaceOptions(start=20, steps=2),
)
"""The embedded weights' start and steps were chosen on 24 validation faces: the embedded prior was made sharp for
estimates noised to 200 and below. A single step leaves noise; entered at 60 with 3 steps it costs a moderately damaged
face 0.7 dB, at 100 with 5 1.6 dB, for edges that are no crisper."""
