"""CLR-Face's identity recovery network (docs/methods/clrface.md, eq. (7)) in a size that a CPU can train. It need not
give a fine picture, but one in which a recogniser sees the right person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from limner.nets.blocks import ResidualBlock
from limner.nets.estimator import CONTRAST, Estimator
from limner.nets.initial import keep_variance


class IdentityRecovery(ModelMixin, ConfigMixin):
    """A regressor's estimate, and a correction of it that sees the degraded face too. In full size it is one `SwinIR`.

    Args:
        sample_size: side in pixels of the faces it was trained on.
        estimator_config: arguments of the `Estimator` that guesses first.
        patch_size: factor of the pixel-unshuffle before the correction.
        width, depth: its channels and residual blocks.
        borrows: parts whose tensors lie with other weights, see `limner.weights.borrowed`.
    """

    @register_to_config
    def __init__(
        self,
        sample_size: int = 256,
        estimator_config: Mapping[str, Any] | None = None,
        patch_size: int = 4,
        width: int = 96,
        depth: int = 4,
        borrows: Mapping[str, str] | None = None,
    ):
        super().__init__()
        pixels = 3 * patch_size**2
        self.stem = nn.Conv2d(2 * pixels, width, 3, padding=1)
        self.blocks = nn.Sequential(*(ResidualBlock(width) for _ in range(depth)))
        self.head = nn.Conv2d(width, pixels, 3, padding=1)
        keep_variance(self, zero=("conv2", "head"))
        self.estimator = Estimator(**(estimator_config or {}))

    def forward(self, lq: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] to the same, not clipped; H and W as the estimator wants them."""
        patch = self.config["patch_size"]
        first = self.estimator(lq)
        seen = F.pixel_unshuffle(CONTRAST * (torch.cat([first, lq.to(first.dtype)], dim=1) - 0.5), patch)
        h = self.head(self.blocks(self.stem(seen.to(self.stem.weight.dtype))))
        return first + F.pixel_shuffle(h, patch).to(first.dtype)
