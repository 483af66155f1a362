"""The loss of a latent diffusion that sees a degraded picture and references (docs/methods/refldm.md, eq. (10))."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from limner.nets.cachekv import ReferenceCache
from limner.nets.unet import UNet
from limner.train.losses.latent import Denoiser, LatentLoss
from limner.train.recipe import Batch


@dataclass
class ReferenceLoss(LatentLoss[UNet]):
    """As `LatentLoss`, with the degraded latent beside the noisy one, and references where a batch has some.

    Attributes:
        drop_lq, drop_references: chance, for each sample, that the degraded latent, or all references, are zeros.
        drop_all_references: chance of no references at all, which is what a user without any will ask for.
    """

    drop_lq: float = 0.1
    drop_references: float = 0.1
    drop_all_references: float = 0.0

    def denoiser(self, model: UNet, batch: Batch, generator: torch.Generator) -> Denoiser:
        degraded = self.encode(batch["lq"])
        degraded = degraded * self.kept(len(degraded), self.drop_lq, generator)[:, None, None, None].to(degraded.device)
        degraded = degraded.repeat(self.repeats, 1, 1, 1)
        cache = self.read(model, batch, generator) if "references" in batch else None
        cache = None if cache is None else cache.repeat(self.repeats)
        return lambda noisy, timesteps: model(torch.cat([noisy, degraded], dim=1), timesteps, cache)

    def read(self, model: UNet, batch: Batch, generator: torch.Generator) -> ReferenceCache | None:
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
        return model.read_references(latents * zeroed[:, None, None, None, None], present[:, :most].to(latents.device))

    @staticmethod
    def kept(rows: int, chance: float, generator: torch.Generator) -> Tensor:
        """1 for each row that is kept, 0 for each that is dropped."""
        return (torch.rand(rows, generator=generator) >= chance).float()
