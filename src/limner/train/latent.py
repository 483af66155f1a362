"""The loss of a latent diffusion that is conditioned on a degraded picture and on references (ReF-LDM, section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import Tensor, nn

from limner.nets.cachekv import ReferenceCache
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN
from limner.train.identity_loss import IdentityLoss
from limner.train.recipe import Batch


@dataclass
class LatentLoss:
    """Error of the predicted noise, or of the predicted x0, with an identity term beside it.

    Attributes:
        vqgan: first stage, frozen.
        scheduler: noise schedule; its prediction type says what the net predicts.
        drop_lq, drop_references: chance, for each sample, that the degraded latent, or all references, are zeros.
        drop_all_references: chance of no references at all, which is what a user without any will ask for.
        norm: `l2` as the authors' code has it, `l1` as the paper says.
        looks: noise levels at which each sample is seen in a step; encoding and references are paid for once.
        balance: weight an x0 error by 1 / (sigma + 0.05), so that all noise levels cost about the same.
        identity: the identity term, or None.
    """

    vqgan: VQGAN
    scheduler: DDIMScheduler
    drop_lq: float = 0.1
    drop_references: float = 0.1
    drop_all_references: float = 0.0
    norm: Literal["l1", "l2"] = "l2"
    looks: int = 1
    balance: bool = False
    identity: IdentityLoss | None = None

    def __post_init__(self) -> None:
        self.vqgan.eval().requires_grad_(False)

    def __call__(self, model: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        device = batch["image"].device
        nn.Module.to(self.vqgan, device)
        clean, degraded = self.encode(batch["image"]), self.encode(batch["lq"])
        degraded = degraded * self.kept(len(clean), self.drop_lq, generator)[:, None, None, None].to(device)
        cache = self.read(model, batch, generator) if "references" in batch else None
        image, clean, degraded = (part.repeat(self.looks, 1, 1, 1) for part in (batch["image"], clean, degraded))
        timesteps = torch.randint(0, len(self.scheduler.alphas_cumprod), (len(clean),), generator=generator)
        abar = self.scheduler.alphas_cumprod[timesteps].to(device)[:, None, None, None]
        timesteps = timesteps.to(device)
        noise = torch.randn(clean.shape, generator=generator).to(device)
        noisy = abar.sqrt() * clean + (1 - abar).sqrt() * noise
        cache = None if cache is None else cache.repeat(self.looks)
        predicted = model(torch.cat([noisy, degraded], dim=1), timesteps, cache).float()
        sampled = self.scheduler.config["prediction_type"] == "sample"
        error = predicted - (clean if sampled else noise)
        error = (error.abs() if self.norm == "l1" else error.square()).mean(dim=(1, 2, 3))
        if self.balance:
            error = error / ((1 - abar).sqrt()[:, 0, 0, 0] + 0.05)
        loss = error.mean()
        if self.identity:
            guess = predicted if sampled else (noisy - (1 - abar).sqrt() * predicted) / abar.sqrt()
            loss = loss + self.identity(self.vqgan, guess, clean, image, timesteps, abar[:, 0, 0, 0])
        return loss

    @torch.no_grad()
    def encode(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] to unquantised latents, float32."""
        return self.vqgan.encode(images * 2 - 1).float()

    def read(self, model: nn.Module, batch: Batch, generator: torch.Generator) -> ReferenceCache | None:
        """What the net remembers of the batch's references, some of them dropped."""
        present = batch["present"].cpu()
        kept = self.kept(len(present), self.drop_all_references, generator).bool()
        present = present & kept[:, None]
        zeroed = self.kept(len(present), self.drop_references, generator).to(batch["references"].device)
        most = int(present.sum(dim=1).max())
        if most == 0:
            return None
        references = batch["references"][:, :most]
        latents = self.encode(references.flatten(0, 1)).unflatten(0, references.shape[:2])
        net = cast(UNet, getattr(model, "module", model))
        return net.read_references(latents * zeroed[:, None, None, None, None], present[:, :most].to(latents.device))

    @staticmethod
    def kept(rows: int, chance: float, generator: torch.Generator) -> Tensor:
        """1 for each row that is kept, 0 for each that is dropped."""
        return (torch.rand(rows, generator=generator) >= chance).float()
