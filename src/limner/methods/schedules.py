"""The noise schedules of the papers, as diffusers schedulers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, TypeVar, cast

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler
from diffusers.schedulers.scheduling_utils import SchedulerMixin
from torch import Tensor

from limner.errors import LimnerError, WeightsError
from limner.methods.options import TimestepSpacing
from limner.weights.json_file import read_object
from limner.weights.net_config import checked

Pipeline = TypeVar("Pipeline", bound=DiffusionPipeline)
STEPS = 1000
"""Timesteps that all nets are trained on; a schedule of another number would be none of theirs."""
MultistepSolver = DPMSolverMultistepScheduler | UniPCMultistepScheduler
Scheduler = DDIMScheduler | MultistepSolver


def difface_schedule(prediction: Literal["epsilon", "sample"] = "epsilon") -> DDIMScheduler:
    """DifFace's schedule (docs/methods/difface.md, eq. (3)): 1000 steps, beta linear from 1e-4 to 0.02,
    timesteps 0, s, 2s, ... for stride s, abar 1 after the last step, x0 clipped while the noise stays as the net gave
    it.

    Args:
        prediction: what the prior predicts: `epsilon`, the noise (the published one), or `sample`, x0 (ours).
    """
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_schedule="linear",
        beta_start=1e-4,
        beta_end=0.02,
        timestep_spacing="leading",
        steps_offset=0,
        set_alpha_to_one=True,
        clip_sample=True,
        prediction_type=prediction,
    )


def refldm_schedule(
    prediction: Literal["epsilon", "sample"] = "epsilon", timestep_spacing: TimestepSpacing = "trailing"
) -> DDIMScheduler:
    """ReF-LDM's schedule (docs/methods/refldm.md, eq. (3)): 1000 steps, sqrt(beta) linear from sqrt(.0015) to
    sqrt(.0155), abar_0 after the last step instead of 1 with the published net, nothing clipped.

    Args:
        prediction: what the U-Net predicts: `epsilon`, the noise (the published one), or `sample`, the clean latent,
            with which (ours) the chain ends, without a rest of the noise.
        timestep_spacing: the paper's evaluation asks at 1, 1 + c, 1 + 2c, ... (`leading`, 100 steps), its demo at 999,
            999 - c, ... (`trailing`, 50 steps), with c = 1000 / steps.
    """
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_schedule="scaled_linear",
        beta_start=0.0015,
        beta_end=0.0155,
        timestep_spacing=timestep_spacing,
        steps_offset=1,
        set_alpha_to_one=prediction == "sample",
        clip_sample=False,
        prediction_type=prediction,
    )


def ldbfr_schedule(
    prediction: Literal["epsilon", "sample"] = "epsilon", timestep_spacing: TimestepSpacing = "leading"
) -> DDIMScheduler:
    """LD-BFR's schedule (docs/methods/ldbfr.md, eq. (7)): 1000 steps, sqrt(beta) linear from sqrt(.0015) to
    sqrt(.0195), abar_0 after the last step instead of 1 with the published net, nothing clipped.

    Args:
        prediction: what the U-Net predicts: `epsilon`, the noise (the published one), or `sample`, the clean latent,
            with which (ours) the chain ends, without a rest of the noise.
        timestep_spacing: the authors ask at 1, 1 + c, 1 + 2c, ... (`leading`), c = 1000 / steps; `trailing`
            begins at 999.
    """
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_schedule="scaled_linear",
        beta_start=0.0015,
        beta_end=0.0195,
        timestep_spacing=timestep_spacing,
        steps_offset=1,
        set_alpha_to_one=prediction == "sample",
        clip_sample=False,
        prediction_type=prediction,
    )


def clrface_schedule(
    prediction: Literal["epsilon", "sample"] = "epsilon", timestep_spacing: TimestepSpacing = "trailing"
) -> DDIMScheduler:
    """CLR-Face's schedule (docs/methods/clrface.md, eq. (4); the details are limner's): 1000 steps, beta linear
    from 1e-4 to 0.02, abar 1 after the last step, nothing clipped.

    Args:
        prediction: what the U-Net predicts: `epsilon`, the noise, or `sample`, the clean latent.
        timestep_spacing: `trailing` asks at 999, 999 - c, ...; `leading` at 1, 1 + c, ..., c = 1000 / steps.
    """
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_schedule="linear",
        beta_start=1e-4,
        beta_end=0.02,
        timestep_spacing=timestep_spacing,
        steps_offset=1,
        set_alpha_to_one=True,
        clip_sample=False,
        prediction_type=prediction,
    )


SCHEDULERS = ("ddim", "dpmsolver++", "unipc")
"""Names that `swap` accepts."""


def swap(pipeline: Pipeline, name: str) -> Pipeline:
    """Gives a pipeline another scheduler over the same training schedule, and returns the pipeline.

    Args:
        pipeline: any of limner's.
        name: `ddim` (the papers'), or the multistep solvers `dpmsolver++` and `unipc`.

    Raises:
        LimnerError: if there is no such scheduler.
    """
    if name not in SCHEDULERS:
        raise LimnerError(f"There is no scheduler '{name}': choose one of {', '.join(SCHEDULERS)}.")
    config = pipeline.scheduler.config
    if name == "ddim":
        pipeline.scheduler = DDIMScheduler.from_config(config)
    elif name == "dpmsolver++":
        pipeline.scheduler = DPMSolverMultistepScheduler.from_config(config, algorithm_type="dpmsolver++")
    else:
        pipeline.scheduler = UniPCMultistepScheduler.from_config(config)
    return pipeline


def with_steps(
    template: SchedulerMixin, steps: int, timestep_spacing: TimestepSpacing | None, allowed: str
) -> Scheduler:
    """A scheduler of its own like the template, its timesteps set.

    DDIM's last step leads to abar_0 < 1, so a little of the predicted noise stays, which quantising absorbs. Where
    1000 is no multiple of `steps`, the authors' lists of timesteps have some steps more than asked for; these have as
    many.

    Args:
        template: a pipeline's scheduler.
        steps: 1 to 999.
        timestep_spacing: instead of the template's own.
        allowed: what to tell of a number of steps that can't be made.

    Raises:
        LimnerError: if there is no such number of steps.
    """
    spacing = {"timestep_spacing": timestep_spacing} if timestep_spacing else {}
    scheduler = cast(Scheduler, type(template).from_config(template.config, **spacing))  # type: ignore[attr-defined]  # diffusers' base class has no config
    if not 1 <= steps < scheduler.config["num_train_timesteps"]:
        raise LimnerError(f"{steps} steps can't be made: {allowed}.")
    scheduler.set_timesteps(steps)
    if len(scheduler.timesteps) > steps:  # 1000 / steps was rounded down, and diffusers' trailing list ran on to -1
        scheduler.timesteps = scheduler.timesteps[:steps]
        if not isinstance(scheduler, DDIMScheduler):
            scheduler.sigmas = torch.cat([scheduler.sigmas[:steps], scheduler.sigmas[-1:]])
    return scheduler


def from_timestep(
    template: SchedulerMixin, start: int | None, steps: int, timestep_spacing: TimestepSpacing | None, allowed: str
) -> tuple[Scheduler, Tensor]:
    """As `with_steps`, for a chain that may be entered part-way: then it is the end of one that is as much longer.

    Args:
        template, timestep_spacing, allowed: see `with_steps`.
        start: timestep at which the chain is entered, 1 to 999; None is the noisiest.
        steps: 1 to 999, and no more than `start`.

    Returns:
        The scheduler, and the timesteps of the chain, descending, as many as asked for.

    Raises:
        LimnerError: if there is no such number of steps or entry.
    """
    if start is not None and not 1 <= steps <= start <= 999:
        raise LimnerError(
            f"{steps} steps from {start} on can't be made: the start is 1 to 999, and at least the steps."
        )
    whole = steps if start is None else min(1000 // round(start / steps), 999)
    scheduler = with_steps(template, whole, timestep_spacing, allowed)
    if not isinstance(scheduler, DDIMScheduler):
        scheduler.set_begin_index(whole - steps)
    return scheduler, scheduler.timesteps[-steps:]


def ask_at(solver: MultistepSolver, timesteps: Sequence[int]) -> None:
    """Sets the timesteps of a multistep solver to these, after which no noise is left.

    Args:
        solver: over the training schedule.
        timesteps: descending.
    """
    solver.set_timesteps(len(timesteps))
    solver.timesteps = torch.tensor(timesteps)
    abar = solver.alphas_cumprod[solver.timesteps]
    solver.sigmas = torch.cat([((1 - abar) / abar).sqrt(), torch.zeros(1)])


def enter(clean: Tensor, noise: Tensor, scheduler: Scheduler, t: int | Tensor) -> Tensor:
    """A clean sample noised to the level of timestep t, where a chain is entered part-way:
    x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) noise.

    Args:
        clean, noise: of one shape.
        scheduler: over the training schedule.
        t: the timestep.
    """
    abar = scheduler.alphas_cumprod[t].to(clean)
    return abar.sqrt() * clean + (1 - abar).sqrt() * noise


def clean_estimate(schedule: SchedulerMixin, predicted: Tensor, noisy: Tensor, abar: Tensor) -> Tensor:
    """The clean sample that a net's prediction stands for: the prediction itself, or of predicted noise
    z_0 = (z_t - sqrt(1 - abar) eps) / sqrt(abar).

    Args:
        schedule: its prediction type says which.
        predicted, noisy: of one shape.
        abar: of the timestep, a scalar or of a shape that spreads over `noisy`.
    """
    if schedule.config["prediction_type"] == "sample":  # type: ignore[attr-defined]  # as above
        return predicted
    return (noisy - (1 - abar).sqrt() * predicted) / abar.sqrt()


def load_schedule(*folders: Path, default: Callable[[], DDIMScheduler] = difface_schedule) -> DDIMScheduler:
    """The noise schedule that is saved beside weights.

    Args:
        folders: the first that has a `scheduler_config.json` counts.
        default: makes it where none has.

    Raises:
        WeightsError: the file can't be read, or describes no schedule of 1000 steps with betas between 0 and 1.
    """
    for folder in folders:
        if (file := folder / "scheduler_config.json").is_file():
            return _read_schedule(file)
    return default()


def _read_schedule(file: Path) -> DDIMScheduler:
    # Not from_pretrained: it takes any number of steps and asks for memory at once.
    config = checked(DDIMScheduler, read_object(file), file)
    fits = config.get("num_train_timesteps", STEPS) == STEPS == len(config.get("trained_betas") or range(STEPS))
    fits = fits and config.get("prediction_type") != "v_prediction" and config.get("steps_offset", 0) <= 1
    try:
        schedule = DDIMScheduler(**config) if fits else None
    except (NotImplementedError, ArithmeticError, ValueError, RuntimeError):
        schedule = None
    if schedule is None or not ((schedule.betas > 0) & (schedule.betas <= 1)).all():
        raise WeightsError(
            f"{file} describes no noise schedule that limner knows: {STEPS} training steps with betas between 0 and 1, "
            "and a net that predicts epsilon or sample."
        )
    return schedule
