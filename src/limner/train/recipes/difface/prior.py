"""Recipe: DifFace's unconditional prior over clean faces (methods paper, section 4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import Tensor, nn

from limner.data.faces import FaceSet
from limner.data.pairs import Faces
from limner.evaluate.report import contact_sheet
from limner.methods.schedules import difface_schedule
from limner.nets.unet import UNet
from limner.pixels import to_picture, to_tensor
from limner.train.losses.variational import hybrid_loss
from limner.train.recipe import Batch, Recipe

LAST_TIMESTEP = 450
"""DifFace enters the chain at t = 400, so the mini prior learns nothing above this."""


@dataclass
class CleanLoss:
    """Squared error of a predicted x0, t uniform over 0 .. `last`, weighted by 1 / (sigma + 0.05).

    With this weight all noise levels cost about the same, where with 1 / sigma^2, which v-prediction amounts to, the
    lowest rule the rest. The net predicts
    x0 and not the noise, because what a small net fails to predict of the noise stays in the picture as grain.
    """

    scheduler: DDIMScheduler
    last: int

    def __call__(self, model: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
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
    return scheduler.add_noise(clean, noise, timesteps), timesteps, noise  # type: ignore[arg-type]


def difface_prior(data: Path, preset: Literal["mini", "paper"] = "mini", seed: int = 0) -> Recipe:
    """The prior's recipe.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini`, a small U-Net behind a pixel-unshuffle at 256 px that learns t <= 450 only, or `paper`,
            the published U-Net at 512 px with a learned variance and the published settings.
        seed: of initialisation, data order and noise.
    """
    torch.manual_seed(seed)
    faces = FaceSet.open(data, "train")
    validation = FaceSet.open(data, "val")
    if preset == "paper":
        scheduler = difface_schedule("epsilon")
        return Recipe(
            name="difface-prior",
            model=UNet(),
            data=Faces(faces, 512, seed, flip=False),
            loss=hybrid_loss(scheduler),
            steps=500_000,
            batch=64,
            lr=1e-4,
            final_lr=1e-4,
            warmup=10_000,
            ema=0.999,
            validate=Denoise(validation, 512, scheduler, 999),
            seed=seed,
            scheduler=scheduler,
        )
    scheduler = difface_schedule("sample")
    return Recipe(
        name="difface-prior",
        model=UNet(
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
        ),
        data=Faces(faces, 256, seed, grey=0.1),
        loss=CleanLoss(scheduler, LAST_TIMESTEP),
        steps=5_600,
        batch=8,
        lr=8e-4,
        final_lr=1e-5,
        warmup=200,
        betas=(0.9, 0.99),
        clip=1.0,
        ema=0.998,
        precision="bf16",
        export="fp16",
        validate=Denoise(validation, 256, scheduler, LAST_TIMESTEP),
        preview=Preview(validation, 256, scheduler),
        seed=seed,
        scheduler=scheduler,
    )


@dataclass
class Denoise:
    """How well one look restores noised validation faces: root mean squared error of x0 at a few timesteps."""

    faces: FaceSet
    size: int
    scheduler: DDIMScheduler
    last: int

    def __call__(self, model: nn.Module) -> dict[str, float]:
        figures = {}
        for timestep in (50, 150, 250, 400):
            errors = []
            for index in range(min(len(self.faces), 32)):
                clean = to_tensor(self.faces.image(index, self.size))[None] * 2 - 1
                guess = denoised(model, self.scheduler, clean, timestep, torch.Generator().manual_seed(index))
                errors.append((guess - clean).pow(2).mean().item())
            figures[f"x0 rmse t={timestep}"] = float(np.mean(errors)) ** 0.5
        return figures


@dataclass
class Preview:
    """Validation faces noised to some timesteps and denoised by one look."""

    faces: FaceSet
    size: int
    scheduler: DDIMScheduler

    def __call__(self, model: nn.Module) -> np.ndarray:
        rows = []
        for index in range(4):
            clean = to_tensor(self.faces.image(index, self.size))[None] * 2 - 1
            guesses = [
                denoised(model, self.scheduler, clean, timestep, torch.Generator().manual_seed(index))
                for timestep in (100, 250, 400)
            ]
            rows.append([to_picture(picture[0] / 2 + 0.5) for picture in (*guesses, clean)])
        return contact_sheet(rows, ["x0 at t=100", "x0 at t=250", "x0 at t=400", "truth"])


def denoised(
    model: nn.Module, scheduler: DDIMScheduler, clean: Tensor, timestep: int, generator: torch.Generator
) -> Tensor:
    """One look at a noised picture in [-1, 1]: the predicted x0, clipped."""
    device = next(model.parameters()).device
    times = torch.full((len(clean),), timestep)
    noisy = scheduler.add_noise(clean, torch.randn(clean.shape, generator=generator), times)  # type: ignore[arg-type]
    out = model(noisy.to(device), times.to(device)).float().cpu()
    alpha, sigma = scheduler.alphas_cumprod[timestep].sqrt(), (1 - scheduler.alphas_cumprod[timestep]).sqrt()
    predicted = out[:, :3]
    if scheduler.config["prediction_type"] == "sample":
        return predicted.clamp(-1, 1)
    return ((noisy - sigma * predicted) / alpha).clamp(-1, 1)
