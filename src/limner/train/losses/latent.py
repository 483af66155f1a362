"""The loss of a latent diffusion: noised latents, and how far the net's guess lies from what they were made of
(docs/methods/refldm.md, eq. (10), (11))."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal

import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import Tensor, nn

from limner.methods.schedules import clean_estimate
from limner.nets.vqgan import VQGAN
from limner.train.losses.identity import IdentityLoss
from limner.train.recipe import Batch, Net

Denoiser = Callable[[Tensor, Tensor], Tensor]
"""From noisy latents (B, C, h, w) and timesteps (B,) to predictions."""


@dataclass
class LatentLoss(Generic[Net]):
    """Error of the predicted noise, or of the predicted x0, with an identity term beside it. As it stands the net sees
    nothing but the noisy latent; a method that shows it more has a `denoiser` of its own.

    Attributes:
        vqgan: first stage, frozen.
        scheduler: noise schedule; its prediction type says what the net predicts.
        norm: `l2` as the authors' programs have it, `l1` as ReF-LDM's paper says.
        repeats: noise levels at which each sample is seen in a step; what doesn't depend on them is computed once.
        last: the noisiest timestep that is drawn; None for all.
        balance: weight an x0 error by 1 / (sigma + 0.05), so that all noise levels cost about the same.
        identity: the identity term, or None.
    """

    vqgan: VQGAN
    scheduler: DDIMScheduler
    norm: Literal["l1", "l2"] = "l2"
    repeats: int = 1
    last: int | None = None
    balance: bool = False
    identity: IdentityLoss | None = None

    def __post_init__(self) -> None:
        self.vqgan.eval().requires_grad_(False)

    def __call__(self, model: Net, batch: Batch, generator: torch.Generator) -> Tensor:
        device = batch["image"].device
        nn.Module.to(self.vqgan, device)
        clean = self.encode(batch["image"])
        denoiser = self.denoiser(model, batch, generator)
        image, clean = (part.repeat(self.repeats, 1, 1, 1) for part in (batch["image"], clean))
        levels = len(self.scheduler.alphas_cumprod) if self.last is None else self.last + 1
        timesteps = torch.randint(0, levels, (len(clean),), generator=generator)
        abar = self.scheduler.alphas_cumprod[timesteps].to(device)[:, None, None, None]
        timesteps = timesteps.to(device)
        noise = torch.randn(clean.shape, generator=generator).to(device)
        noisy = abar.sqrt() * clean + (1 - abar).sqrt() * noise
        predicted = denoiser(noisy, timesteps).float()
        sampled = self.scheduler.config["prediction_type"] == "sample"
        error = predicted - (clean if sampled else noise)
        error = (error.abs() if self.norm == "l1" else error.square()).mean(dim=(1, 2, 3))
        if self.balance:
            error = error / ((1 - abar).sqrt()[:, 0, 0, 0] + 0.05)
        loss = error.mean()
        if self.identity:
            guess = clean_estimate(self.scheduler, predicted, noisy, abar)
            loss = loss + self.identity(self.vqgan, guess, clean, image, timesteps, abar[:, 0, 0, 0])
        return loss

    def denoiser(self, model: Net, batch: Batch, generator: torch.Generator) -> Denoiser:
        """What predicts for this batch, its rows `repeats` times over."""
        return model

    @torch.no_grad()
    def encode(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] to unquantised latents, float32."""
        return self.vqgan.encode(images * 2 - 1).float()
