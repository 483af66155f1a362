"""The cleaner: takes noise, JPEG's blocks, a printer's weave and mild blur off a photograph, at any size.

It is the estimator's residual U-Net at twice its resolution and without a face in mind: it sees some 100 pixels around
each, invents nothing, and is trained to give good photographs back as they are.
"""

from __future__ import annotations

from diffusers.configuration_utils import register_to_config
from torch import Tensor

from limner.nets.blocks import padded
from limner.nets.estimator import Estimator

BLOCK = 8
"""Side of JPEG's blocks in pixels, and of what the net sees as one at its coarsest. Files begin with a whole block, and
so does whatever the net is shown: there it learned to look for their grid."""


class Cleaner(Estimator):
    """A photograph to the same photograph, clean.

    Args:
        sample_size: side in pixels of the windows it was trained on.
        patch_size, widths, depths: see `Estimator`.
    """

    @register_to_config
    def __init__(
        self,
        sample_size: int = 128,
        patch_size: int = 2,
        widths: tuple[int, ...] = (32, 64, 96),
        depths: tuple[int, ...] = (2, 2, 3),
    ):
        super().__init__(sample_size, patch_size, widths, depths)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] to the same, of any size; it is not clipped."""
        height, width = x.shape[-2:]
        step = self.config["patch_size"] * 2 ** (len(self.config["widths"]) - 1)
        return super().forward(padded(x, step))[..., :height, :width]
