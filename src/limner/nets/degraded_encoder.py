"""CLR-Face's E_d (docs/methods/clrface.md, eq. (2)): a twin of the first stage's encoder that reads degraded faces, and
so gives the diffusion what it is conditioned on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from limner.nets.estimator import Estimator
from limner.nets.initial import keep_variance
from limner.nets.vqgan import VQGAN, Encoder


class DegradedEncoder(ModelMixin, ConfigMixin):
    """Degraded face to the latent that its clean twin should have.

    Args:
        sample_size: side in pixels of the faces it was made for.
        latent_channels, width, multipliers, depth, attention_levels, middle, groups, patch_size: of the `VQGAN` whose
            encoder it begins as.
        estimator_config: arguments of a regressor that looks at the degraded face first; None, for none. With little
            to train on it is the cheaper way to an encoder that sees through damage.
        borrows: parts whose tensors lie with other weights, see `limner.weights.borrowed`.
    """

    @register_to_config
    def __init__(
        self,
        sample_size: int = 512,
        latent_channels: int = 3,
        width: int = 128,
        multipliers: Sequence[int] = (1, 2, 4),
        depth: int = 2,
        attention_levels: Sequence[int] = (),
        middle: bool = True,
        groups: int = 32,
        patch_size: int = 1,
        estimator_config: Mapping[str, Any] | None = None,
        borrows: Mapping[str, str] | None = None,
    ):
        super().__init__()
        self.patch_size = patch_size
        widths = [width * m for m in multipliers]
        self.encoder = Encoder(3 * patch_size**2, latent_channels, widths, depth, attention_levels, middle, groups)
        self.to_latent = nn.Conv2d(latent_channels, latent_channels, 1)
        if not groups:
            keep_variance(self, zero=("conv2", "out"))
        self.estimator = None if estimator_config is None else Estimator(**estimator_config)

    @classmethod
    def for_vqgan(
        cls, vqgan: VQGAN, estimator: Estimator | None = None, borrows: Mapping[str, str] | None = None
    ) -> DegradedEncoder:
        """The twin of a VQGAN's encoder, with its weights, perhaps after an estimator with its own."""
        names = (
            "sample_size",
            "latent_channels",
            "width",
            "multipliers",
            "depth",
            "attention_levels",
            "middle",
            "groups",
            "patch_size",
        )
        made = None
        if estimator is not None:
            made = {key: value for key, value in estimator.config.items() if not key.startswith("_")}
        net = cls(**{name: vqgan.config[name] for name in names}, estimator_config=made, borrows=borrows)
        net.encoder.load_state_dict(vqgan.encoder.state_dict())
        net.to_latent.load_state_dict(vqgan.to_latent.state_dict())
        if net.estimator is not None and estimator is not None:
            net.estimator.load_state_dict(estimator.state_dict())
            net.estimator.requires_grad_(False)
        return net

    def forward(self, lq: Tensor) -> Tensor:
        """z_d: (B, 3, H, W) in [0, 1] to (B, C, h, w), in the first stage's own units, not divided by its `scale`."""
        guess = lq if self.estimator is None else self.estimator(lq)
        patches = guess * 2 - 1
        if self.patch_size > 1:
            patches = F.pixel_unshuffle(patches, self.patch_size)
        return self.to_latent(self.encoder(patches.to(self.to_latent.weight.dtype)))
