"""The cleaner: takes noise, JPEG's blocks, a printer's weave and mild blur off a photograph, at any size.

It is the estimator's residual U-Net at twice its resolution and without a face in mind: it sees some 100 pixels around
each, invents nothing, and is trained to give good photographs back as they are. A net that looks at noise in blocks of
2 x 2 pixels can't tell it from fine detail, so that last layers look at every pixel once more.
"""

from __future__ import annotations

import torch.nn.functional as F
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from limner.nets.blocks import padded, zeroed
from limner.nets.estimator import CONTRAST, Estimator
from limner.nets.initial import keep_variance
from limner.nets.tail import Stage

LAST_BLOCKS = 2
"""Residual blocks of the last layers."""
BLOCK = 8
"""Side of JPEG's blocks in pixels, and of what the net sees as one at its coarsest. Files begin with a whole block, and
so does whatever the net is shown: there it learned to look for their grid."""


class Cleaner(Estimator):
    """A photograph to the same photograph, clean.

    Args:
        sample_size: side in pixels of the windows it was trained on.
        patch_size, widths, depths: see `Estimator`; a patch has 2 pixels, which the last layers double.
        tail_width: channels of the last layers, at the photograph's own size.
    """

    @register_to_config
    def __init__(
        self,
        sample_size: int = 128,
        patch_size: int = 2,
        widths: tuple[int, ...] = (32, 64, 96),
        depths: tuple[int, ...] = (2, 2, 3),
        tail_width: int = 24,
    ):
        super().__init__(sample_size, patch_size, widths, depths)
        self.tail = Stage(widths[0], tail_width, pictures=3, time_channels=0, blocks=LAST_BLOCKS)
        keep_variance(self.tail, zero=("conv2",))
        self.out = zeroed(nn.Conv2d(tail_width, 3, 3, padding=1))

    @property
    def step(self) -> int:
        """Of which the sides of a picture must be multiples, in pixels; others are padded."""
        return self.config["patch_size"] * 2 ** (len(self.config["widths"]) - 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] to the same, of any size; it is not clipped."""
        height, width = x.shape[-2:]
        whole = padded(x, self.step)
        h = self.features(whole)
        fine = self.tail(h, (CONTRAST * (whole - 0.5)).to(h.dtype))
        detail = F.pixel_shuffle(self.head(h), self.config["patch_size"]) + self.out(F.silu(fine))
        return (whole + detail.to(x.dtype))[..., :height, :width]
