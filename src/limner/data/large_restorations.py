"""A stream of restorations beside their photographs and faces at twice the size: what the enlarger of faces
(`nets/enlarge_face.py`) learns from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from limner.data.restorations import Restorations, Way
from limner.pixels import to_tensor

SIDE = 512
"""Of the files that take part, in pixels: others have nothing to show at that size."""
SHOWN = {512: 0.88, 1024: 0.12}
"""Sides in pixels at which faces stand in the photographs, and how often."""
DAMAGE = {
    "ffhq-ref-severe": 0.42,
    "ffhq-ref-moderate": 0.26,
    "old-print": 0.14,
    "gfpgan": 0.06,
    "difface": 0.06,
    "scan": 0.06,
}
"""What happened to those, and how often. Good photographs are few: of these the fusion takes next to nothing."""
WAYS: Mapping[Way, float] = {("difface", ()): 0.61, ("refldm", ()): 0.13, ("ldbfr", ()): 0.13, ("clrface", ()): 0.13}
"""Whose restorations, and how often; all as users get them, for what was left smooth should stay so."""
UNTOUCHED = 0.4
"""Share of the windows that are of the face itself, made small: what its pixels were too few for can be known there."""


@dataclass
class LargeRestorations:
    """Sample n is {"restored": (3, W, W), "photo", "image": (3, 2 W, 2 W)} in [0, 1]: a window of a restoration, of
    its photograph as it is joined, and of the face as it should be.

    Attributes:
        pool: photographs shown at `SHOWN`, so that their frame is twice as large as the restoration.
        window: W in pixels.
    """

    pool: Restorations
    window: int

    def __getitem__(self, n: int) -> dict[str, torch.Tensor]:
        generator = np.random.default_rng((self.pool.seed, 2, n))
        one, size = self.pool.of(n % self.pool.count), self.window
        top, left = (int(generator.integers(len(one.restored) - size + 1)) for _ in range(2))
        inside = (slice(2 * top, 2 * (top + size)), slice(2 * left, 2 * (left + size)))
        restored = one.restored[top : top + size, left : left + size]
        if generator.random() < UNTOUCHED:
            restored = cv2.resize(one.truth[inside], (size, size), interpolation=cv2.INTER_AREA)
        mirror = -1 if generator.random() < 0.5 else 1
        pictures = {"restored": restored, "photo": one.cleaned[inside], "image": one.truth[inside]}
        return {name: to_tensor(picture[:, ::mirror]) for name, picture in pictures.items()}
