"""LPIPS, version 0.1 (Zhang et al. 2018), with the published weights, which limner can't ship: they are taken by path.

Two files make a variant: a backbone under torchvision's names, and the learned weights of its channels
(`lin0.model.1.weight`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.errors import LimnerError
from limner.evaluate.metrics.pictures import check_pictures
from limner.nets import alexnet, squeezenet, vgg16
from limner.pixels import to_tensor
from limner.weights.checkpoint import read_tensors
from limner.weights.formats import imagenet
from limner.weights.tensors import demand

Variant = Literal["alex", "squeeze", "vgg"]

MEAN, SPREAD = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""Of each channel, by which pictures in [-1, 1] are normalised."""


@dataclass(frozen=True)
class LPIPS:
    """One variant, ready to measure.

    Attributes:
        variant: of the backbone, to be printed beside every figure: variants differ by a factor of 1.3 and more.
        backbone: gives features (B, C, h, w) of several levels.
        weights: of each level's channels, (C,).
    """

    variant: Variant
    backbone: nn.Module
    weights: Sequence[Tensor]

    @torch.no_grad()
    def __call__(self, restored: np.ndarray, truth: np.ndarray) -> float:
        """How far apart two pictures look: the squared difference of features of unit length, weighted by channel,
        averaged over positions and summed over levels.

        0 upwards, lower is better, symmetric; 0 for equal pictures. Pictures at their own size.

        Raises:
            LimnerError: see `check_pictures`; or a side has less than 32 px.
        """
        check_pictures(restored, truth, least=32)
        mean, spread = (torch.tensor(values)[:, None, None] for values in (MEAN, SPREAD))
        pair = torch.stack([to_tensor(picture) * 2 - 1 for picture in (restored, truth)])
        distance = torch.zeros(())
        for level, weights in zip(self.backbone((pair - mean) / spread), self.weights, strict=True):
            a, b = F.normalize(level, dim=1, eps=1e-10)
            distance = distance + ((a - b).square() * weights[:, None, None]).sum(dim=0).mean()
        return float(distance)


def load_lpips(variant: Variant, backbone: Path, linear: Path) -> LPIPS:
    """LPIPS from two files of the user's.

    Args:
        variant: which both files must be of.
        backbone: torchvision's AlexNet, SqueezeNet 1.1 or VGG-16, with or without the classifier.
        linear: the published weights of the channels, version 0.1.

    Raises:
        WeightsError: a file can't be read, or a tensor is missing, not expected or of another shape.
        LimnerError: there is no such variant.
    """
    with torch.device("meta"):
        match variant:
            case "alex":
                net, channels = alexnet.AlexNet(), alexnet.CHANNELS
            case "squeeze":
                net, channels = squeezenet.SqueezeNet(), squeezenet.CHANNELS
            case "vgg":
                net, channels = vgg16.VGG16(), vgg16.CHANNELS
            case _:
                raise LimnerError(f"There is no LPIPS '{variant}': choose one of {', '.join(get_args(Variant))}.")
    tensors = read_tensors(linear)
    names = [f"lin{level}.model.1.weight" for level in range(len(channels))]
    demand(tensors, {name: (1, c) for name, c in zip(names, channels, strict=True)}, linear, f"LPIPS ({variant})")
    return LPIPS(variant, imagenet.load_as(backbone, net), [tensors[name].float().flatten() for name in names])
