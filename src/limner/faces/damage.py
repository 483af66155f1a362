"""How damaged a face is: what its fine octaves still show, against those of a sharp face that is as large.

In each octave of the aligned crop (differences of Gaussians, as Burt and Adelson's pyramid has them) two places are
looked at: the tenth of the face with the most energy, where eyes, nostrils and lips are, and the flattest tenth, which
shows noise. A sharp face has much in the first and next to nothing in the second. Blur takes the first away, noise
fills the second.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from limner.faces.align import similarity, warp

SIDE = 256
"""Pixels of the crop whose octaves are looked at, as the embedded nets see it."""
OCTAVES = 3  # periods of about 3, 6 and 12 px; what is coarser even severe damage leaves
_CONTRAST = 4  # the octave whose energy says how much contrast the face has: brow, cheeks and chin
_SHORT = 0.2  # octaves by which a face may be smaller than the crop, before its finest octave counts as not there

# What a sharp face has of `Octave`'s two, by octave: the lower quartile of the 25 validation faces of 512 px, which
# `python -m limner.evaluate.face_quality --count 25` prints.
_STRUCTURE = 0.53, 0.56, 0.69
_SHARE = 0.94, 0.95, 0.82
_FLATTEST = 1.5  # the energy of noise in parts of that of its flattest tenth
_CENTRE, _RADII = (0.5, 0.6), (0.24, 0.28)  # of the face in the crop


@dataclass(frozen=True)
class Octave:
    """What one octave of a face's crop shows.

    Attributes:
        number: 0 for the finest of the crop of `SIDE` px.
        structure: deviation of what eyes and lips show above the noise, in parts of the face's contrast.
        share: of that in all energy there, noise included, 0 to 1.
    """

    number: int
    structure: float
    share: float


def damage(rgb: np.ndarray, landmarks: np.ndarray) -> float | None:
    """How damaged a face is: 1 less the mean over the octaves of what they keep.

    Args:
        rgb: (H, W, 3) uint8, the photo.
        landmarks: (5, 2) in its pixels.

    Returns:
        0 (as sharp as its size allows) to 1 (nothing finer than the features themselves is left); None of a face that
        is too small to have even the coarsest of the octaves, with a crop of less than about 55 px.
    """
    kept = [
        min(one.structure / _STRUCTURE[one.number], 1) * min(one.share / _SHARE[one.number], 1)
        for one in octaves(rgb, landmarks)
    ]
    return 1 - sum(kept) / len(kept) if kept else None


def octaves(rgb: np.ndarray, landmarks: np.ndarray) -> list[Octave]:
    """The fine octaves of a face that is large enough to have them; both arguments as for `damage`."""
    matrix = similarity(landmarks, SIDE)
    first = max(0, math.ceil(0.5 * math.log2(abs(np.linalg.det(matrix[:, :2]))) - _SHORT))
    if first >= OCTAVES:
        return []
    side = SIDE >> first  # the octaves that the photo doesn't have aren't missed
    crop = warp(rgb, similarity(landmarks, side), side, side).astype(np.float32).mean(-1) / 255
    blurred = [crop, *(cv2.GaussianBlur(crop, (0, 0), 2.0**step) for step in range(_CONTRAST + 1 - first))]
    inside, shown = _face(side), []
    contrast = max(math.sqrt(_energies(blurred, _CONTRAST - first, inside)[1]), 1e-4)
    for number in range(first, OCTAVES):
        flat, _, strong = _energies(blurred, number - first, inside)
        structure = max(strong - _FLATTEST * flat, 0)
        shown.append(Octave(number, math.sqrt(structure) / contrast, structure / max(strong, 1e-9)))
    return shown


def _energies(blurred: list[np.ndarray], octave: int, inside: np.ndarray) -> tuple[float, float, float]:
    """The energy of an octave where the face has least (a tenth has less), in the middle, and most."""
    band = blurred[octave] - blurred[octave + 1]
    energy = cv2.GaussianBlur(band * band, (0, 0), 2.0 ** (octave + 1))
    flat, middle, strong = np.quantile(energy[inside], (0.1, 0.5, 0.9))
    return float(flat), float(middle), float(strong)


def _face(side: int) -> np.ndarray:
    """Where the face is in a crop: an ellipse from brow to chin, (side, side) bool."""
    y, x = (np.mgrid[:side, :side] + 0.5) / side
    return ((x - _CENTRE[0]) / _RADII[0]) ** 2 + ((y - _CENTRE[1]) / _RADII[1]) ** 2 < 1
