"""ReF-LDM's timestep-scaled identity loss (docs/methods/refldm.md, eq. (10)), with the switches of its ablations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from limner.nets.vqgan import VQGAN


@dataclass
class IdentityLoss:
    """weight * mean over the batch of s(t) * (1 - cos(R(D(z0)), R(target))).

    Attributes:
        net: R, crops in [0, 1] to unit vectors, frozen.
        weight: 0.1 as published.
        scale: s(t): `sqrt_abar` as published, or `constant` (the ablation that ruins quality).
        below: s(t) is 0 from this timestep on (the ablations with 100 and 500); None for no limit.
        target: `reconstruction`, D(E(x)) as the authors' code has it, which leaves the first stage's own error out;
            or `truth`, x itself as the paper says.
        samples: only the first so many of a batch are decoded, since that costs more than the rest; None for all.
    """

    net: nn.Module
    weight: float = 0.1
    scale: Literal["sqrt_abar", "constant"] = "sqrt_abar"
    below: int | None = None
    target: Literal["reconstruction", "truth"] = "reconstruction"
    samples: int | None = None

    def __post_init__(self) -> None:
        self.net.eval().requires_grad_(False)

    def __call__(
        self, vqgan: VQGAN, guess: Tensor, clean: Tensor, images: Tensor, timesteps: Tensor, abar: Tensor
    ) -> Tensor:
        """The term, a scalar.

        Args:
            vqgan: D, frozen.
            guess: predicted latents z0, (B, C, h, w), not clipped.
            clean: latents of the truth.
            images: the truth, (B, 3, H, W) in [0, 1].
            timesteps, abar: (B,).
        """
        some = slice(self.samples)
        guess, clean, images, timesteps, abar = (part[some] for part in (guess, clean, images, timesteps, abar))
        self.net.to(images.device)
        with torch.no_grad():
            target = images if self.target == "truth" else self.picture(vqgan, clean)
            wanted = self.net(target)
        distance = 1 - (self.net(self.picture(vqgan, guess)) * wanted).sum(dim=1)
        scale = abar.sqrt() if self.scale == "sqrt_abar" else torch.ones_like(abar)
        if self.below is not None:
            scale = scale * (timesteps < self.below)
        return self.weight * (scale * distance).mean()

    @staticmethod
    def picture(vqgan: VQGAN, latent: Tensor) -> Tensor:
        """Decoded, the gradient straight through the quantiser, to [0, 1]."""
        return vqgan.decode(latent).float() / 2 + 0.5
