"""DISTS (Ding et al. 2020) with the published weights, which limner can't ship: they are taken by path."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from limner.evaluate.metrics.pictures import check_pictures
from limner.nets.vgg16 import CHANNELS, VGG16
from limner.pixels import to_tensor
from limner.weights.checkpoint import read_tensors
from limner.weights.formats import imagenet
from limner.weights.tensors import demand

MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of each channel of ImageNet, in [0, 1]."""
C1 = C2 = 1e-6
"""Keep the two quotients defined."""
WIDTHS = (3, *CHANNELS)
"""Channels of what is compared: the picture itself and five levels of VGG-16 with `RootPool`."""


@dataclass(frozen=True)
class DISTS:
    """Ready to measure.

    Attributes:
        backbone: VGG-16 with smooth pooling.
        texture: weights of the channels' means (alpha), of all levels in a row, (1475,).
        structure: weights of their correlations (beta), likewise.
    """

    backbone: VGG16
    texture: Tensor
    structure: Tensor

    @torch.no_grad()
    def __call__(self, restored: np.ndarray, truth: np.ndarray) -> float:
        """How far apart two pictures are in structure and texture: 1 - sum (alpha l + beta s) / sum (alpha + beta), l =
        (2 m_a m_b + c1) / (m_a^2 + m_b^2 + c1) and s = (2 s_ab + c2) / (s_a^2 + s_b^2 + c2) over each channel's map.

        0 to about 1, lower is better, symmetric; 0 for equal pictures. Variant: pictures at their own size, where the
        authors' tool first brings the shorter side to 256 px.

        Raises:
            LimnerError: see `check_pictures`; or a side has less than 32 px.
        """
        check_pictures(restored, truth, least=32)
        mean, spread = (torch.tensor(values)[:, None, None] for values in (MEAN, SPREAD))
        pair = torch.stack([to_tensor(picture) for picture in (restored, truth)])
        levels = [pair, *self.backbone((pair - mean) / spread)]
        likeness = torch.zeros(())
        alphas, betas = self.texture.split(WIDTHS), self.structure.split(WIDTHS)
        for level, alpha, beta in zip(levels, alphas, betas, strict=True):
            a, b = level.flatten(2)
            means = a.mean(dim=1), b.mean(dim=1)
            variances = a.var(dim=1, correction=0), b.var(dim=1, correction=0)
            covariance = (a * b).mean(dim=1) - means[0] * means[1]
            texture = (2 * means[0] * means[1] + C1) / (means[0] ** 2 + means[1] ** 2 + C1)
            structure = (2 * covariance + C2) / (variances[0] + variances[1] + C2)
            likeness = likeness + (alpha * texture + beta * structure).sum()
        return float(1 - likeness / (self.texture.sum() + self.structure.sum()))


def load_dists(backbone: Path, weights: Path) -> DISTS:
    """DISTS from two files of the user's.

    Args:
        backbone: torchvision's VGG-16, with or without the classifier.
        weights: the published `alpha` and `beta`.

    Raises:
        WeightsError: a file can't be read, or a tensor is missing, not expected or of another shape.
    """
    with torch.device("meta"):
        net = VGG16(pooling="root")
    tensors = read_tensors(weights)
    demand(tensors, {"alpha": (1, sum(WIDTHS)), "beta": (1, sum(WIDTHS))}, weights, "DISTS")
    texture, structure = (tensors[name].float().flatten() for name in ("alpha", "beta"))
    return DISTS(imagenet.load_as(backbone, net), texture, structure)
