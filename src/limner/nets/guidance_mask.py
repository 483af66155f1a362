"""CLR-Face's mask (docs/methods/clrface.md, eq. (15)): which elements of the latent identity guidance may
move, and how far."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from limner.nets.blocks import zeroed
from limner.nets.unet import timestep_embedding

START = -2.0
"""The logit that an untrained mask has everywhere: 0.12 of the guidance passes."""


class StaticMask(ModelMixin, ConfigMixin):
    """One mask for all faces, which are aligned (variant A).

    Args:
        latent_channels, sample_size: of the latent, and its side.
    """

    @register_to_config
    def __init__(self, latent_channels: int = 3, sample_size: int = 128):
        super().__init__()
        self.logits = nn.Parameter(torch.full((latent_channels, sample_size, sample_size), START))

    def forward(self, z0: Tensor, recovered: Tensor, timesteps: Tensor) -> Tensor:
        """As `PredictedMask`, whatever the face and the timestep."""
        return torch.sigmoid(self.logits.to(z0)).expand(len(z0), -1, -1, -1)


class PredictedMask(ModelMixin, ConfigMixin):
    """A mask found in the face itself (variant B): four convolutions over the estimate of the clean latent, the latent
    of what the identity recovery network saw, and the timestep.

    Args:
        latent_channels: of the latent.
        width: channels of the convolutions.
        time_channels: of the sinusoids of the timestep.
    """

    @register_to_config
    def __init__(self, latent_channels: int = 3, width: int = 64, time_channels: int = 32):
        super().__init__()
        self.time = nn.Linear(time_channels, width)
        self.conv1 = nn.Conv2d(2 * latent_channels, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.conv3 = nn.Conv2d(width, width, 3, padding=1)
        self.conv4 = zeroed(nn.Conv2d(width, latent_channels, 3, padding=1), START)

    def forward(self, z0: Tensor, recovered: Tensor, timesteps: Tensor) -> Tensor:
        """M of each face.

        Args:
            z0: estimates of the clean latent, (B, C, h, w).
            recovered: latents of the identity recovery network's pictures, (B, C, h, w).
            timesteps: (B,).

        Returns:
            (B, C, h, w) in [0, 1].
        """
        weight = self.conv1.weight
        time = self.time(timestep_embedding(timesteps, self.config["time_channels"]).to(weight.dtype))
        h = self.conv1(torch.cat([z0, recovered], dim=1).to(weight.dtype)) + time[:, :, None, None]
        for conv in (self.conv2, self.conv3, self.conv4):
            h = conv(F.silu(h))
        return torch.sigmoid(h.float()).to(z0.dtype)
