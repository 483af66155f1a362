"""Recipe: DifFace's unconditional prior over clean faces (docs/methods/difface.md, eq. (4), (5), (12))."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import Tensor

from limner.data.faces import FaceSet
from limner.data.pairs import Faces
from limner.methods.schedules import difface_schedule
from limner.nets.unet import UNet
from limner.pixels import to_picture, to_tensor
from limner.train.losses.variational import hybrid_loss
from limner.train.recipe import Batch, MiniTraining, Preset, Recipe, Training
from limner.train.validation import Validation, device_of, mean

LAST_TIMESTEP = 450
"""DifFace enters the chain at t = 400, so the mini prior learns nothing above this."""
MEASURED_AT, SHOWN_AT = (50, 150, 250, 400), (100, 250, 400)
"""Timesteps from which one denoising step of validation faces is measured, and shown."""
TRAINING = {
    "mini": MiniTraining(steps=5_600, batch=8, lr=8e-4, final_lr=1e-5, warmup=200, clip=1.0),
    "paper": Training(steps=500_000, batch=64, lr=1e-4, final_lr=1e-4, warmup=10_000, ema=0.999),
}


@dataclass
class CleanLoss:
    """Squared error of a predicted x0, t uniform over 0 .. `last`, weighted by 1 / (sigma + 0.05).

    With this weight all noise levels cost about the same, where with 1 / sigma^2, which v-prediction amounts to, the
    lowest rule the rest. The net predicts
    x0 and not the noise, because what a small net fails to predict of the noise stays in the picture as grain.
    """

    scheduler: DDIMScheduler
    last: int

    def __call__(self, model: UNet, batch: Batch, generator: torch.Generator) -> Tensor:
        clean = batch["image"] * 2 - 1
        noisy, timesteps, _ = diffuse(self.scheduler, clean, self.last, generator)
        sigma = (1 - self.scheduler.alphas_cumprod[timesteps.cpu()]).sqrt().to(clean.device)
        error = (model(noisy, timesteps).float() - clean).pow(2).mean(dim=(1, 2, 3))
        return (error / (sigma + 0.05)).mean()


def diffuse(
    scheduler: DDIMScheduler, clean: Tensor, last: int, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Draws t in 0 .. last and noise for every picture in [-1, 1]: (noisy, timesteps, noise)."""
    timesteps = torch.randint(0, last + 1, (len(clean),), generator=generator).to(clean.device)
    noise = torch.randn(clean.shape, generator=generator).to(clean.device)
    return noised(scheduler, clean, noise, timesteps), timesteps, noise


def noised(scheduler: DDIMScheduler, clean: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
    """Pictures (B, 3, H, W), noised to timesteps (B,)."""
    # diffusers wants an IntTensor by its annotation, and indexes with the int64 that randint gives
    return scheduler.add_noise(clean, noise, timesteps)  # type: ignore[arg-type]


def mini_prior() -> UNet:
    """A small U-Net after a pixel-unshuffle, that predicts x0."""
    return UNet(
        sample_size=256,
        out_channels=3,
        width=64,
        multipliers=(1, 1, 2),
        depths=(2, 2, 1),
        attention_levels=(),
        head_channels=32,
        groups=0,
        patch_size=4,
        input_skip=True,
    )


def difface_prior(data: Path, preset: Preset = "mini", seed: int = 0) -> Recipe[UNet]:
    """The prior's recipe.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini`, a small U-Net after a pixel-unshuffle at 256 px that learns t <= 450 only, or `paper`,
            the published U-Net at 512 px with a learned variance and the published settings.
        seed: of initialisation, data order and noise.
    """
    torch.manual_seed(seed)
    faces, validation = FaceSet.open(data, "train"), FaceSet.open(data, "val")
    paper = preset == "paper"
    size = 512 if paper else 256
    scheduler = difface_schedule("epsilon" if paper else "sample")

    def attempt(net: UNet, case: tuple[int, Tensor]) -> dict[int, Tensor]:
        number, clean = case
        return {
            timestep: denoised(net, scheduler, clean, timestep, torch.Generator().manual_seed(number))
            for timestep in sorted({*MEASURED_AT, *SHOWN_AT})
        }

    few = validation.first(32)
    return Recipe(
        name="difface-prior",
        model=UNet() if paper else mini_prior(),
        data=Faces(faces, size, seed, flip=False) if paper else Faces(faces, size, seed, grey=0.1),
        loss=hybrid_loss(scheduler) if paper else CleanLoss(scheduler, LAST_TIMESTEP),
        training=TRAINING[preset],
        validation=Validation(
            cases=lambda: {"": [(n, to_tensor(few.image(n, size))[None] * 2 - 1) for n in range(len(few))]},
            attempt=attempt,
            figures=errors_by_timestep,
            row=lambda case, guesses: {
                **{f"x0 at t={timestep}": to_picture(guesses[timestep][0] / 2 + 0.5) for timestep in SHOWN_AT},
                "truth": to_picture(case[1][0] / 2 + 0.5),
            },
        ),
        seed=seed,
        scheduler=scheduler,
    )


def errors_by_timestep(trials: Sequence[tuple[tuple[int, Tensor], dict[int, Tensor]]]) -> dict[str, float]:
    """Root mean squared error of x0, in units where pixels lie in [-1, 1], by the timestep that was noised to."""
    figures = {}
    for timestep in MEASURED_AT:
        squares = [(guesses[timestep] - clean).pow(2).mean().item() for (_, clean), guesses in trials]
        figures[f"x0 rmse t={timestep}"] = mean(squares) ** 0.5
    return figures


def denoised(net: UNet, scheduler: DDIMScheduler, clean: Tensor, timestep: int, generator: torch.Generator) -> Tensor:
    """One denoising step from a noised picture in [-1, 1]: the predicted x0, clipped."""
    device = device_of(net)
    times = torch.full((len(clean),), timestep)
    noisy = noised(scheduler, clean, torch.randn(clean.shape, generator=generator), times)
    out = net(noisy.to(device), times.to(device)).float().cpu()
    alpha, sigma = scheduler.alphas_cumprod[timestep].sqrt(), (1 - scheduler.alphas_cumprod[timestep]).sqrt()
    predicted = out[:, :3]
    if scheduler.config["prediction_type"] == "sample":
        return predicted.clamp(-1, 1)
    return ((noisy - sigma * predicted) / alpha).clamp(-1, 1)
