"""The training loop that every recipe runs through."""

from __future__ import annotations

import copy
import math
import os
import shutil
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from diffusers.models.modeling_utils import ModelMixin
from diffusers.training_utils import EMAModel
from torch import nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader, Dataset

from limner.device import has_bfloat16
from limner.errors import LimnerError
from limner.extras import needed
from limner.train.recipe import Batch, Loss, Net, Recipe, Samples, Training
from limner.train.state import State
from limner.weights.borrowed import drop_borrowed

with needed("accelerate", "Training"):
    from accelerate import Accelerator
    from accelerate.utils import ProjectConfiguration
with needed("tensorboard", "Training"):
    import tensorboard  # noqa: F401  # without it, accelerate would keep no log and say nothing

STATE = "state"
WEIGHTS = "weights"
LAST_WORK = 0.2
"""Seconds that threads of a group of processes get to lay down their work before the group ends."""


class _Stretch(Dataset[Batch]):
    """The samples `first` to `last` of an endless stream."""

    def __init__(self, samples: Samples, first: int, last: int):
        self.samples, self.first, self.last = samples, first, last

    def __len__(self) -> int:
        return self.last - self.first

    def __getitem__(self, n: int) -> Batch:
        return self.samples[self.first + n]


class _LossOf(nn.Module):
    """The loss of a net as a module. This is what several processes wrap, and not the net: whatever a loss asks of the
    net, be it its `decode`, happens inside the wrapper, which averages the gradients."""

    def __init__(self, net: Net, loss: Loss[Net]):
        super().__init__()
        self.net, self.loss = net, loss

    def forward(self, batch: Batch, generator: torch.Generator) -> torch.Tensor:
        return self.loss(self.net, batch, generator)


def learning_rate(training: Training, step: int) -> float:
    """The factor on `training.lr` at a step: linear warm-up, then a cosine to `final_lr`.

    Args:
        training: of the recipe.
        step: optimiser steps done.
    """
    if step < training.warmup:
        return (step + 1) / training.warmup
    done = min((step - training.warmup) / max(training.steps - training.warmup, 1), 1.0)
    floor = training.final_lr / training.lr
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * done))


def parameter_groups(net: nn.Module, training: Training) -> list[dict[str, Any]]:
    """The parameters that learn, as an optimiser takes them: a group for each factor on the learning rate.

    Args:
        net: what is trained.
        training: its `lr` and `lr_factors`.
    """
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in net.named_parameters():
        if parameter.requires_grad:
            factor = next((f for start, f in training.lr_factors.items() if name.startswith(start)), 1.0)
            groups.setdefault(factor, []).append(parameter)
    return [{"params": parameters, "lr": factor * training.lr} for factor, parameters in groups.items()]


def set_learning_rates(optimizer: Optimizer, rates: Sequence[float], factor: float) -> None:
    """Sets the learning rate of each group of parameters to `factor` times its own of `rates`."""
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        group["lr"] = factor * rate


def fit(
    recipe: Recipe,
    out: Path | str,
    *,
    resume: bool = False,
    every: int = 500,
    workers: int = 0,
    cpu: bool = False,
) -> Path:
    """Trains, and returns the folder of the finished weights (`config.json` and safetensors).

    Ctrl-C ends the step that is under way, saves the state and returns; `resume=True` goes on from there with the
    same samples, noise and learning rate that an unbroken run would have had.

    Args:
        recipe: what to train.
        out: folder for the state, TensorBoard logs, contact sheets and weights.
        resume: continue the run in `out`.
        every: steps between two saves with validation and contact sheet.
        workers: processes that prepare samples.
        cpu: stay on the CPU even where there is an accelerator.

    Raises:
        LimnerError: if `out` holds a run and `resume` is off, or holds none and `resume` is on; or the run's state is
            damaged, or another recipe's.
    """
    out = Path(out)
    saved = out / STATE
    if saved.is_dir() and not resume:
        raise LimnerError(f"{out} already holds a training run: add --resume to go on, or choose another folder.")
    if resume and not saved.is_dir():
        raise LimnerError(f"{out} holds no training run to resume: start it without --resume.")
    out.mkdir(parents=True, exist_ok=True)

    training = recipe.training
    accelerator = Accelerator(
        gradient_accumulation_steps=training.accumulate,
        log_with="tensorboard",
        project_config=ProjectConfiguration(project_dir=str(out), logging_dir=str(out)),
        cpu=cpu,
    )
    accelerator.init_trackers("log")
    torch.manual_seed(recipe.seed)
    net = recipe.model.train().to(accelerator.device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(
        parameter_groups(net, training), lr=training.lr, betas=training.betas, weight_decay=training.weight_decay
    )
    rates = [group["lr"] for group in optimizer.param_groups]
    ema = EMAModel(net.parameters(), decay=training.ema) if training.ema else None
    state = State(recipe, optimizer, ema)
    if resume:
        state.load(saved)
    loss_of, optimizer = accelerator.prepare(_LossOf(net, recipe.loss), optimizer)
    if ema:
        ema.to(accelerator.device)

    micro = training.batch // training.accumulate
    share = micro // accelerator.num_processes
    first, last = (step * training.batch for step in (state.step, max(state.step, training.steps)))
    loader = accelerator.prepare(
        DataLoader(_Stretch(recipe.data, first, last), batch_size=share, num_workers=workers, drop_last=True)
    )
    stop = _StopOnInterrupt()
    bar = _Bar(recipe, state, show=accelerator.is_main_process)
    micro_step = 0
    # a processor that emulates bf16 took sixty times as long
    half = training.precision == "bf16" and has_bfloat16(accelerator.device.type)
    with stop, bar:
        for batch in loader:
            key = (recipe.seed, state.step, micro_step, accelerator.process_index)
            ours, torchs = np.random.SeedSequence(key).generate_state(2).tolist()
            generator = torch.Generator().manual_seed(ours)
            torch.manual_seed(torchs)  # of what a net draws on its own, such as dropout
            set_learning_rates(optimizer, rates, learning_rate(training, state.step))
            with accelerator.accumulate(loss_of):
                with torch.autocast(accelerator.device.type, torch.bfloat16, enabled=half):
                    loss = loss_of(batch, generator)
                accelerator.backward(loss)
                if accelerator.sync_gradients and training.clip:
                    accelerator.clip_grad_norm_(net.parameters(), training.clip)
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
            micro_step += 1
            bar.saw(loss.detach(), share * accelerator.num_processes)
            if not accelerator.sync_gradients:
                continue
            state.step, micro_step = state.step + 1, 0
            if ema:
                ema.step(net.parameters())
            if state.step % 10 == 0:
                accelerator.log({"loss": bar.loss, "lr": optimizer.param_groups[0]["lr"]}, step=state.step)
            if stop.asked or state.step % every == 0 or state.step == training.steps:
                _save(accelerator, state, saved)
                _report(accelerator, recipe, ema, out, state.step)
            if stop.asked:
                break
    if accelerator.num_processes > 1:
        # A group of processes that ends waits for its threads and lets no other have the interpreter, which such a
        # thread may still need for a moment after its last work: both then waited for ever.
        time.sleep(LAST_WORK)
    accelerator.end_training()
    return out / WEIGHTS


def _save(accelerator: Accelerator, state: State, folder: Path) -> None:
    """Writes the state beside the old one and swaps the two, so that a crash leaves one of them whole. The processes
    of a run have the same, so one of them writes."""
    if accelerator.is_main_process:
        fresh, old = folder.with_suffix(".new"), folder.with_suffix(".old")
        shutil.rmtree(fresh, ignore_errors=True)
        state.save(fresh)
        shutil.rmtree(old, ignore_errors=True)
        if folder.is_dir():
            os.replace(folder, old)
        os.replace(fresh, folder)
        shutil.rmtree(old, ignore_errors=True)
    accelerator.wait_for_everyone()


def _report(accelerator: Accelerator, recipe: Recipe, ema: EMAModel | None, out: Path, step: int) -> None:
    """Saves the weights as they would ship, then measures and draws with exactly those."""
    if not accelerator.is_main_process:
        return
    net = recipe.model
    if ema:
        ema.store(net.parameters())
        ema.copy_to(net.parameters())
    net.eval()
    save_weights(net, out / WEIGHTS, recipe.training.export)
    if recipe.scheduler:
        recipe.scheduler.save_pretrained(str(out / WEIGHTS))
    if recipe.validation:
        with torch.no_grad():
            report = recipe.validation(net)
        accelerator.log({f"val/{name}": value for name, value in report.figures.items()}, step=step)
        figures = ", ".join(f"{name} {value:.4f}" for name, value in report.figures.items())
        accelerator.print(f"step {step}: {figures}", flush=True)
        cv2.imwrite(str(out / f"sheet_{step:07d}.png"), cv2.cvtColor(report.sheet, cv2.COLOR_RGB2BGR))
    net.train()
    if ema:
        ema.restore(net.parameters())


def save_weights(net: ModelMixin, folder: Path, precision: str = "fp32") -> None:
    """Saves a net as `config.json` and safetensors, but for what it borrows from other weights.

    Args:
        net: it stays as it is.
        folder: to save it in.
        precision: `fp32` or `fp16`.
    """
    shipped = copy.deepcopy(net)
    nn.Module.to(shipped, torch.float16 if precision == "fp16" else torch.float32)
    shipped.save_pretrained(str(folder))
    drop_borrowed(folder)


class _StopOnInterrupt:
    """Turns Ctrl-C into a request that the loop reads between two steps; a second Ctrl-C stops at once."""

    asked = False

    def __enter__(self) -> _StopOnInterrupt:
        self.before = signal.signal(signal.SIGINT, self._ask)
        return self

    def _ask(self, *_: object) -> None:
        self.asked = True
        signal.signal(signal.SIGINT, self.before)

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self.before)


class _Bar:
    """A progress bar with the smoothed loss and images per second; a line now and then where there is no terminal."""

    def __init__(self, recipe: Recipe, run: State, show: bool):
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self.run, self.images, self.loss, self.started = run, 0, float("nan"), time.monotonic()
        console = Console(stderr=True)
        self.plain = show and not console.is_terminal
        self.bar = Progress(
            TextColumn(recipe.name),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[state]}"),
            console=console,
            disable=not show or self.plain,
        )
        self.task = self.bar.add_task("train", total=recipe.training.steps, completed=run.step, state="")

    def __enter__(self) -> _Bar:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def saw(self, loss: torch.Tensor, images: int) -> None:
        value = loss.item()
        self.loss = value if math.isnan(self.loss) else 0.98 * self.loss + 0.02 * value
        self.images += images
        state = f"loss {self.loss:.4f}  {self.images / (time.monotonic() - self.started):.1f} images/s"
        self.bar.update(self.task, completed=self.run.step, state=state)
        if self.plain and self.run.step % 100 == 0:
            print(f"step {self.run.step}  {state}", flush=True)
