"""DifFace (Yue & Loy, arXiv 2212.06512): a regressor's guess is noised part-way, then denoised by an unconditional
prior.

The posterior p(x0 | y0) is approximated by entering the reverse chain at step N with

    x_N ~ Normal( sqrt(abar_N) f(y0), (1 - abar_N) I )

so that an error of the estimator f is shrunk by sqrt(abar_N) while the prior supplies the detail that f lacks.
A larger N gives more realism and less fidelity.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from diffusers.models.modeling_utils import ModelMixin
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_utils import SchedulerMixin
from torch import Tensor

from limner.errors import LimnerError
from limner.methods.crops import Restored, fit_to, noise_like, per_face, restored_size
from limner.methods.schedules import Scheduler


@dataclass
class DifFaceOutput(Restored):
    """What DifFace returns.

    Attributes:
        images: restored faces, (B * samples, 3, H, W) float32 in [0, 1]; the samples of one face lie together.
        estimates: f(y0) for each face, (B, 3, H, W) in [0, 1].
    """

    images: Tensor
    estimates: Tensor

    def on_the_way(self) -> dict[str, Tensor]:
        """The estimates."""
        return {"estimate": self.estimates}


class DifFacePipeline(DiffusionPipeline):
    """DifFace on aligned crops.

    Args:
        estimator: f, a degraded face in [0, 1] to an estimate in [0, 1] (`SwinIR` or `Estimator`).
        unet: the prior in [-1, 1], noise (or x0) and perhaps a variance out (`UNet`).
        scheduler: any diffusers scheduler over the prior's training schedule; `DDIMScheduler` is the paper's.
    """

    def __init__(self, estimator: ModelMixin, unet: ModelMixin, scheduler: SchedulerMixin):
        super().__init__()
        self.register_modules(estimator=estimator, unet=unet, scheduler=scheduler)

    @torch.no_grad()
    def __call__(
        self,
        crops: Tensor,
        *,
        start: int = 400,
        steps: int = 100,
        eta: float = 0.5,
        samples: int = 1,
        generator: torch.Generator | Sequence[torch.Generator] | None = None,
        batch_size: int = 8,
        progress: Callable[[int, int], None] | None = None,
    ) -> DifFaceOutput:
        """Restores faces.

        Args:
            crops: (B, 3, H, W) in [0, 1], aligned; of another size than the prior's they are resized and back.
            start: N, the timestep at which the chain is entered, 1 to 999; the paper uses 400.
            steps: evaluations of the prior; 0 returns the estimate as it is. The paper uses 100.
            eta: 0 (deterministic, faithful) to 1 (most realistic); the paper uses 0.5. Only DDIM knows it.
            samples: results wanted for each face.
            generator: CPU generator(s) of the noise: one for each result, or one from which theirs are seeded.
            batch_size: faces that go through the nets at once.
            progress: called with (net evaluations done, of how many).

        Raises:
            LimnerError: if `start`, `steps` or `eta` lies outside its range.
        """
        if not 0 <= eta <= 1:
            raise LimnerError(f"eta is {eta}: DifFace takes 0 (faithful) to 1 (most realistic).")
        results = len(crops) * samples
        generators = per_face(generator, results)
        size = int(self.unet.config["sample_size"])
        queries = fit_to(crops, size)
        estimates, images = [], []
        batches = -(-results // batch_size)
        for number in range(batches):
            chosen = torch.arange(number * batch_size, min((number + 1) * batch_size, results))

            def done(step: int, number: int = number) -> None:
                if progress:
                    progress(number * max(steps, 1) + step, batches * max(steps, 1))

            estimate = self.estimate(queries[chosen // samples])
            estimates.append(estimate[chosen % samples == 0].cpu())
            image = estimate
            if steps:
                own = [generators[i] for i in chosen.tolist()]
                image = refine(self.unet, self.scheduler, estimate, start, steps, eta, own, done)
            done(max(steps, 1))
            images.append(image.cpu())
        height, width = crops.shape[-2:]
        return DifFaceOutput(
            images=restored_size(torch.cat(images), height, width),
            estimates=restored_size(torch.cat(estimates), height, width),
        )

    def estimate(self, queries: Tensor) -> Tensor:
        """f(y0), clipped to [0, 1] as the chain expects it, in float32."""
        guess = self.estimator(queries.to(self.estimator.device))
        return guess.float().clamp(0, 1)


def refine(
    unet: ModelMixin,
    scheduler: Scheduler,
    estimate: Tensor,
    start: int,
    steps: int,
    eta: float,
    generators: list[torch.Generator],
    done: Callable[[int], None] | None = None,
) -> Tensor:
    """Noises an estimate to `start` and walks the chain back.

    Args:
        unet, scheduler: of a `DifFacePipeline`.
        estimate: (B, 3, H, W) in [0, 1].
        start, steps, eta: as for `DifFacePipeline`.
        generators: of each face's noise, on the CPU.
        done: called with the number of steps done.

    Returns:
        What the estimate became, likewise.

    Raises:
        LimnerError: if there is no such timetable.
    """
    entry, timesteps = timetable(scheduler, start, steps)
    device = estimate.device
    abar = scheduler.alphas_cumprod[entry].to(device)
    noise = noise_like(estimate.shape[1:], generators, device)
    x = abar.sqrt() * (estimate * 2 - 1) + (1 - abar).sqrt() * noise
    settings = {"eta": eta, "generator": generators} if isinstance(scheduler, DDIMScheduler) else {}
    for count, t in enumerate(timesteps):
        times = torch.full((len(x),), int(t), device=device)
        predicted = unet(x, times).float()
        predicted = predicted[:, : x.shape[1]]  # a learned variance lies behind it, which DDIM has no use for
        x = scheduler.step(predicted, int(t), x, **settings, return_dict=False)[0]
        if done:
            done(count + 1)
    return (x * 0.5 + 0.5).clamp(0, 1)


def timetable(scheduler: Scheduler, start: int, steps: int) -> tuple[int, Tensor]:
    """The timestep whose noise level the chain is entered with, and those the prior is asked at (descending).

    With the paper's 400 and 100: 400, and 396, 392, ..., 0. That the first question is asked one stride below
    the noise level is how the published results were made.

    Raises:
        LimnerError: if there is no such timetable.
    """
    if not 1 <= start <= 999:
        raise LimnerError(f"The start step is {start}: choose 1 to 999 (the paper uses 400).")
    if not 1 <= steps <= start:
        raise LimnerError(f"{steps} steps don't fit below the start step {start}: choose 1 to {start}.")
    total = max(round(scheduler.config["num_train_timesteps"] * steps / start), steps + 1)
    scheduler.set_timesteps(total)
    timesteps = scheduler.timesteps
    if isinstance(scheduler, DDIMScheduler):
        return int(timesteps[-steps - 1]), timesteps[-steps:]
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(len(timesteps) - steps)
    return int(timesteps[-steps]), timesteps[-steps:]
