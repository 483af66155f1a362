"""AlignNet: is this patch a face, and where are its five points?

A small hour-glass of plain 3x3 convolutions. The points are the expectations of five heat maps (integral
regression, Sun et al. 2018, eq. 3), which stays exact below a heat-map pixel and turns into a sensible mean when the
face is too blurred to say more. Batch normalisation makes it learn in minutes what it never learnt without.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from limner.nets.blocks import NormedBlock, NormedConv
from limner.template import FFHQ_512

# The square of the 512 px FFHQ crop that an upright patch shows: hairline to chin, and the sides of the head.
CENTRE, SIDE = (256.0, 285.0), 403.0


def upright_points(size: float) -> np.ndarray:
    """Where the five points of an upright, centred face lie in a patch of ``size`` pixels, (5, 2) float64."""
    return (FFHQ_512 - np.array(CENTRE) + SIDE / 2) * (size / SIDE)


class AlignNet(ModelMixin, ConfigMixin):
    """Face patch to face logit and five points.

    Args:
        sample_size: side of the patch in pixels, a multiple of 16.
        widths: channels at 1/4, 1/8 and 1/16 of the patch.
        judge_width: channels of the part that says face or not.
    """

    @register_to_config
    def __init__(self, sample_size: int = 96, widths: tuple[int, int, int] = (96, 128, 192), judge_width: int = 16):
        super().__init__()
        fine, middle, coarse = widths
        self.stem = NormedConv(3 * 16, fine)
        self.down1 = NormedBlock(fine)
        self.shrink1 = _halved(fine, middle)
        self.down2 = NormedBlock(middle)
        self.shrink2 = _halved(middle, coarse)
        self.bottom = nn.Sequential(NormedBlock(coarse), NormedBlock(coarse))
        self.grow2 = nn.Conv2d(coarse, middle, 1)
        self.up2 = NormedBlock(middle)
        self.grow1 = nn.Conv2d(middle, fine, 1)
        self.up1 = NormedBlock(fine)
        self.heat = nn.Conv2d(fine, 5, 3, padding=1)
        self.judge = nn.Sequential(
            nn.Conv2d(coarse, judge_width, 1),
            nn.ReLU(inplace=True),
            nn.Flatten(),
            nn.Linear(judge_width * (sample_size // 16) ** 2, 64),
            nn.ReLU(inplace=True),
            nn.Linear(64, 1),
        )

    def forward(self, patches: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Looks at patches.

        Args:
            patches: (B, 3, S, S) RGB in [0, 1], S the sample size.

        Returns:
            The face logits (B,); the points (B, 5, 2) in sides of the patch: x, y times S are pixels, with (0, 0)
            the centre of the upper left one; and the heat maps (B, 5, S/4, S/4), logits over the cells, whose
            expectation the points are.
        """
        # Each patch to mean 0 and deviation 1: faded prints and dark rooms then look alike.
        mean = patches.mean((1, 2, 3), keepdim=True)
        deviation = patches.std((1, 2, 3), keepdim=True)
        x = F.pixel_unshuffle((patches - mean) / (deviation + 0.03), 4)
        fine = self.down1(self.stem(x))
        middle = self.down2(self.shrink1(fine))
        coarse = self.bottom(self.shrink2(middle))
        middle = self.up2(F.relu(middle + F.interpolate(self.grow2(coarse), scale_factor=2.0)))
        fine = self.up1(F.relu(fine + F.interpolate(self.grow1(middle), scale_factor=2.0)))
        with torch.autocast(patches.device.type, enabled=False):  # bf16 is a tenth of a pixel too coarse for the points
            heat = self.heat(fine.float())
        return self.judge(coarse)[:, 0].float(), self._expectation(heat), heat

    def _expectation(self, heat: Tensor) -> Tensor:
        cells = heat.shape[-1]
        share = heat.flatten(2).softmax(-1).view_as(heat)
        place = (torch.arange(cells, device=heat.device) + 0.5) / cells - 0.5 / self.config["sample_size"]
        return torch.stack([share.sum(-2) @ place, share.sum(-1) @ place], -1)


def _halved(before: int, after: int) -> nn.Sequential:
    """Half the height and width."""
    return nn.Sequential(
        nn.Conv2d(before, after, 2, stride=2, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
    )
