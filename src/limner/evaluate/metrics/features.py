"""What a picture is, in numbers, to a net that has seen the world: the features whose distributions are compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from limner.evaluate.metrics.pictures import check_pictures
from limner.nets.inception import FEATURES, SIDE
from limner.pixels import to_tensor
from limner.weights.formats import inception

BATCH = 16


@dataclass(frozen=True)
class Extractor:
    """A net that turns pictures into features.

    Attributes:
        name: with the variant, to be printed beside every distance.
        dimensions: of the features.
        side: px to which pictures are brought.
        antialias: whether they are smoothed on the way down.
        net: (B, 3, side, side) in [0, 1] to (B, dimensions).
    """

    name: str
    dimensions: int
    side: int
    antialias: bool
    net: Callable[[Tensor], Tensor]

    @torch.no_grad()
    def __call__(self, pictures: Iterable[np.ndarray]) -> np.ndarray:
        """Any number of pictures, (H, W, 3) uint8 RGB of any sizes, to features (N, D) float32.

        Raises:
            LimnerError: see `check_pictures`.
        """
        rows = [np.zeros((0, self.dimensions), np.float32)]
        waiting = iter(pictures)
        while batch := list(islice(waiting, BATCH)):
            rows.append(self.net(torch.stack([self._sized(picture) for picture in batch])).numpy())
        return np.concatenate(rows)

    def _sized(self, picture: np.ndarray) -> Tensor:
        check_pictures(picture)
        size = (self.side, self.side)
        return F.interpolate(to_tensor(picture)[None], size, mode="bilinear", antialias=self.antialias)[0]


def inception_extractor(path: Path) -> Extractor:
    """FID's Inception-v3 (Heusel et al. 2017): the 2,048 numbers of its third pooling.

    Pictures are brought to 299 px bilinearly without smoothing, as the published figures were computed.

    Args:
        path: the file pt_inception-2015-12-05.

    Raises:
        WeightsError: it can't be read or is another net.
    """
    return Extractor("Inception-v3 (2015-12-05), 299 px", FEATURES, SIDE, False, inception.load(path))
