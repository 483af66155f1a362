"""The enlarger: a photograph to one twice as large, sharper than an interpolation and without its noise and blocks.

It is the cleaner's net (`nets/clean.py`) at the photograph's full resolution, whose answer is added to what cubic
interpolation gives.
"""

from __future__ import annotations

import torch.nn.functional as F
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from limner.nets.blocks import padded, zeroed
from limner.nets.estimator import Estimator

TIMES = 2
"""How many times larger its pictures are."""


class Enlarger(Estimator):
    """A photograph to the same photograph, twice as high and wide.

    Args:
        sample_size: side in pixels of the small windows it was trained on.
        patch_size, widths, depths: see `Estimator`.
    """

    @register_to_config
    def __init__(
        self,
        sample_size: int = 64,
        patch_size: int = 1,
        widths: tuple[int, ...] = (24, 40, 48),
        depths: tuple[int, ...] = (2, 2, 2),
    ):
        super().__init__(sample_size, patch_size, widths, depths)
        self.head = zeroed(nn.Conv2d(widths[0], 3 * (TIMES * patch_size) ** 2, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1], of any size, to (B, 3, 2 H, 2 W); it is not clipped."""
        height, width = x.shape[-2:]
        patch = self.config["patch_size"]
        whole = padded(x, patch * 2 ** (len(self.config["widths"]) - 1))
        detail = F.pixel_shuffle(self.answer(whole), TIMES * patch)[..., : TIMES * height, : TIMES * width]
        return interpolated(x) + detail.to(x.dtype)


def interpolated(x: Tensor) -> Tensor:
    """(B, 3, H, W) twice as large by cubic interpolation."""
    return F.interpolate(x, scale_factor=float(TIMES), mode="bicubic")
