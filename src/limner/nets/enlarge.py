"""The enlarger: a photograph to one twice as large, sharper than an interpolation and without its noise and blocks.

What noise is and what is none the cleaner (`nets/clean.py`) has learned already: its features are shared, and last
layers of the enlarger's own, at the photograph's full size, make four pixels of each. Their answer is added to what
cubic interpolation gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from limner.nets.blocks import padded, zeroed
from limner.nets.clean import LAST_BLOCKS, Cleaner
from limner.nets.estimator import CONTRAST
from limner.nets.initial import keep_variance
from limner.nets.tail import Stage

TIMES = 2
"""How many times larger its pictures are."""


class Enlarger(ModelMixin, ConfigMixin):
    """A photograph to the same photograph, twice as high and wide.

    Args:
        sample_size: side in pixels of the small windows it was trained on.
        width: channels of its last layers, at the size of the photograph that is enlarged.
        cleaner_config: of the cleaner whose features it takes; it holds all of that, and asks for no more than those.
        borrows: parts whose tensors lie with other weights, see `limner.weights.borrowed`.
    """

    @register_to_config
    def __init__(
        self,
        sample_size: int = 64,
        width: int = 48,
        cleaner_config: Mapping[str, Any] | None = None,
        borrows: Mapping[str, str] | None = None,
    ):
        super().__init__()
        self.cleaner = Cleaner(**(cleaner_config or {}))
        below, patch = self.cleaner.config["widths"][0], self.cleaner.config["patch_size"]
        self.last = Stage(below, width, pictures=3, time_channels=0, blocks=LAST_BLOCKS)
        keep_variance(self.last, zero=("conv2",))
        self.head = zeroed(nn.Conv2d(below, 3 * (TIMES * patch) ** 2, 3, padding=1))
        self.out = zeroed(nn.Conv2d(width, 3 * TIMES**2, 3, padding=1))

    @classmethod
    def of(cls, cleaner: Cleaner, borrows: Mapping[str, str] | None = None) -> Enlarger:
        """An untrained one with the features of a cleaner."""
        config = {key: value for key, value in cleaner.config.items() if not key.startswith("_")}
        net = cls(cleaner_config=config, borrows=borrows)
        net.cleaner.load_state_dict(cleaner.state_dict())
        return net

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1], of any size, to (B, 3, 2 H, 2 W); it is not clipped."""
        height, width = x.shape[-2:]
        whole = padded(x, self.cleaner.step)
        h = self.cleaner.features(whole)
        fine = self.last(h, (CONTRAST * (whole - 0.5)).to(h.dtype))
        coarse = F.pixel_shuffle(self.head(h), TIMES * self.cleaner.config["patch_size"])
        detail = coarse + F.pixel_shuffle(self.out(F.silu(fine)), TIMES)
        return interpolated(x) + detail[..., : TIMES * height, : TIMES * width].to(x.dtype)


def interpolated(x: Tensor) -> Tensor:
    """(B, 3, H, W) twice as large by cubic interpolation."""
    return F.interpolate(x, scale_factor=float(TIMES), mode="bicubic")
