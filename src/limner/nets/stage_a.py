"""LD-BFR's first stage (docs/methods/ldbfr.md, eq. (1) to (4)): a VQGAN whose encoder reads degraded faces and whose
codes are those of clean ones, with dual cross-attention between the two. One pass restores the whole face; its feature
F is what the diffusion of the second stage is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor

from limner.nets.dca import DualCrossAttention
from limner.nets.estimator import Estimator
from limner.nets.vqgan import VQGAN


@dataclass(frozen=True)
class StageAOutput:
    """What the first stage finds in a degraded face; each (B, C, h, w), divided by the VQGAN's `scale`.

    Attributes:
        lq: Y, the encoder's feature.
        codes: X, its nearest codes, with the gradient of Y itself.
        feature: F, the restored feature.
        indices: of the codes, (B, h, w).
    """

    lq: Tensor
    codes: Tensor
    feature: Tensor
    indices: Tensor


class StageA(ModelMixin, ConfigMixin):
    """Degraded face to restored feature, and to a picture.

    Args:
        sample_size: side in pixels of the faces it was made for.
        latent_channels, codebook_size, width, multipliers, depth, attention_levels, middle, groups, patch_size,
            normalise_latent, tail_widths: of the `VQGAN`.
        heads, head_channels, scaled, positions: of the `DualCrossAttention`.
        estimator_config: arguments of a regressor that looks at the degraded face before the encoder does; None, as
            published, for none. With little to train on it is the cheaper way to an encoder that sees through damage.
        borrows: parts whose tensors lie with other weights and not with these, and the names of those in the
            catalogue; see `limner.weights.borrowed`.
    """

    _keep_in_fp32_modules = ["codebook", "latent_std"]  # noqa: RUF012 - a list is what diffusers expects

    @register_to_config
    def __init__(
        self,
        sample_size: int = 512,
        latent_channels: int = 256,
        codebook_size: int = 1024,
        width: int = 64,
        multipliers: Sequence[int] = (1, 2, 2, 4, 4, 8),
        depth: int = 2,
        attention_levels: Sequence[int] = (5,),
        middle: bool = True,
        groups: int = 32,
        patch_size: int = 1,
        normalise_latent: bool = False,
        heads: int = 8,
        head_channels: int | None = None,
        scaled: bool = False,
        positions: bool = False,
        tail_widths: Sequence[int] = (),
        estimator_config: Mapping[str, Any] | None = None,
        borrows: Mapping[str, str] | None = None,
    ):
        super().__init__()
        self.estimator = None if estimator_config is None else Estimator(**estimator_config)
        self.vqgan = VQGAN(
            sample_size=sample_size,
            latent_channels=latent_channels,
            codebook_size=codebook_size,
            width=width,
            multipliers=multipliers,
            depth=depth,
            attention_levels=attention_levels,
            middle=middle,
            groups=groups,
            patch_size=patch_size,
            normalise_latent=normalise_latent,
            tail_widths=tail_widths,
        )
        self.cross = DualCrossAttention(latent_channels, heads, head_channels, scaled, positions)

    @property
    def grid(self) -> int:
        """Side of the feature of a face of `sample_size`."""
        return int(self.config["sample_size"]) // self.vqgan.factor

    def forward(self, lq: Tensor) -> StageAOutput:
        """Restores the feature of degraded faces, (B, 3, H, W) in [0, 1]."""
        guess = lq if self.estimator is None else self.estimator(lq)
        read = self.vqgan.encode(guess * 2 - 1).float()
        snapped, indices = self.vqgan.quantise(read * self.vqgan.scale)
        codes = snapped / self.vqgan.scale
        dtype = self.cross.out.weight.dtype
        feature = self.cross(read.to(dtype), codes.to(dtype)).float()
        return StageAOutput(read, codes, feature, indices)

    def decode(self, feature: Tensor, quantise: bool = False) -> Tensor:
        """Picture of a restored feature: (B, C, h, w) to (B, 3, H, W), about [-1, 1], not clipped.

        Args:
            feature: F.
            quantise: snap it to the nearest codes first. In training it isn't; the authors' second stage does it
                before it shows the picture.
        """
        return self.vqgan.decode(feature, quantise)

    @torch.no_grad()
    def one_step(self, lq: Tensor) -> Tensor:
        """The one-step restoration: (B, 3, H, W) in [0, 1] to the same, float32."""
        return (self.decode(self(lq).feature).float() / 2 + 0.5).clamp(0, 1)

    def trained_parts(self) -> Mapping[str, torch.nn.Module]:
        """What stage A's training moves; codebook, decoder and the 1x1 convolutions around the codes stay."""
        return {"cross": self.cross, "encoder": self.vqgan.encoder}
