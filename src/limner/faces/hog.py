"""Histograms of oriented gradients of a face (Dalal and Triggs 2005): what a classical descriptor, which no restorer
was trained with, says of who it is.

`python -m limner.evaluate.hog --data FACES` writes the mean descriptor of the training faces anew. It is all that was
taken from data, and the choice among the classical descriptors (HOG of several sizes and regions, local binary
patterns, cosine transforms) was made by their verification of the training people.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

MEAN = Path(__file__).with_name("hog_mean.npy")

ROWS, COLUMNS = (0.22, 0.90), (0.18, 0.82)
"""The part of an FFHQ crop that is described: brow to chin and the sides of the face."""

SIDE, CELL, BINS = 96, 8, 9


class HogIdentity:
    """Called as an `IdentityNet` is: crops (B, 3, H, W) in [0, 1] to unit vectors (B, 4356). No gradients.

    The descriptors of two aligned faces are always alike; what the mean face has is therefore subtracted.
    """

    def __call__(self, crops: Tensor) -> Tensor:
        mean = torch.from_numpy(self.mean.astype(np.float32))
        described = torch.from_numpy(np.stack([describe(crop) for crop in crops.detach().float().cpu()]))
        return F.normalize(described - mean, dim=1).to(crops.device)

    @cached_property
    def mean(self) -> np.ndarray:
        """The mean descriptor of the training faces, (4356,)."""
        return np.load(MEAN, allow_pickle=False)


def describe(crop: Tensor) -> np.ndarray:
    """The descriptor, (4356,) float32, of a crop (3, H, W) in [0, 1]."""
    rgb = crop.clamp(0, 1).permute(1, 2, 0).numpy()
    grey = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    top, bottom = (round(share * height) for share in ROWS)
    left, right = (round(share * width) for share in COLUMNS)
    way = cv2.INTER_AREA if bottom - top >= SIDE else cv2.INTER_LINEAR
    face = cv2.resize(grey[top:bottom, left:right], (SIDE, SIDE), interpolation=way)
    histograms = cv2.HOGDescriptor((SIDE, SIDE), (2 * CELL, 2 * CELL), (CELL, CELL), (CELL, CELL), BINS)
    return np.asarray(histograms.compute(np.rint(face * 255).astype(np.uint8)), np.float32).ravel()
