"""Masked identity guidance (docs/methods/clrface.md, eq. (9) to (12)): how a recogniser's gradient moves the estimate
of a clean latent towards a person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from limner.nets.vqgan import VQGAN

Mask = Callable[[Tensor, Tensor], Tensor]
"""From estimates of the clean latent (B, C, h, w) and timesteps (B,) to M in [0, 1], of the latent's shape."""


class Guide(Protocol):
    """What moves the estimates of one batch."""

    def shift(self, z0: Tensor, timesteps: Tensor, abar: Tensor) -> tuple[Tensor, Tensor]:
        """How the estimates of one step are moved.

        Args:
            z0: estimates of the clean latent, (B, C, h, w).
            timesteps: (B,).
            abar: at that timestep, a scalar.

        Returns:
            What z_0 is to be lessened by, and the mask; (B, C, h, w) each.
        """
        ...


@dataclass
class IdentityGuidance:
    """The guidance of one batch:

        L_id = 1 - cos(R(G(q(z_0))), e),    g = dL_id/dz_0,    g_n = g sqrt(numel) / |g|
        z_0 <- z_0 - s sqrt(abar_t) M g_n

    The gradient passes straight through the quantiser q and ends at z_0: the U-Net that guessed z_0 takes no part.

    Attributes:
        vqgan: G and q.
        identity: R, crops in [0, 1] to unit vectors (B, D).
        wanted: e, whom the faces should look like, (B, D) of unit length.
        scale: s, the root mean square of an unmasked shift at abar = 1, in deviations of the latent.
        mask: M.
    """

    vqgan: VQGAN
    identity: nn.Module
    wanted: Tensor
    scale: float
    mask: Mask

    def distance(self, z0: Tensor) -> Tensor:
        """L_id (docs/methods/clrface.md, eq. (9)): the cosine distance of each face from its person, 0 to 2, (B,); from
        estimates of the clean latent, (B, C, h, w)."""
        picture = self.vqgan.decode(z0).to(z0.dtype) / 2 + 0.5
        return 1 - (self.identity(picture) * self.wanted).sum(dim=1)

    def direction(self, z0: Tensor) -> Tensor:
        """g_n (docs/methods/clrface.md, eq. (10), (11)): the direction that makes each face less like its person, of
        root mean square 1; from estimates of the clean latent, (B, C, h, w), to the same."""
        with torch.enable_grad():
            z0 = z0.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(self.distance(z0).sum(), z0)
        length = gradient.flatten(1).norm(dim=1)[:, None, None, None]
        return gradient * gradient[0].numel() ** 0.5 / (length + 1e-8)

    def shift(self, z0: Tensor, timesteps: Tensor, abar: Tensor) -> tuple[Tensor, Tensor]:
        """How the estimates of one step are moved (docs/methods/clrface.md, eq. (12)).

        Args:
            z0: estimates of the clean latent, (B, C, h, w).
            timesteps: (B,).
            abar: at that timestep, a scalar.

        Returns:
            What z_0 is to be lessened by, and M; (B, C, h, w) each.
        """
        mask = self.mask(z0, timesteps)
        return self.scale * abar.sqrt() * mask * self.direction(z0), mask
