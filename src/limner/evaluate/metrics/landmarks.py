"""How far facial landmarks have moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from limner.errors import LimnerError

SIDE = 512
"""px of the face in which distances are stated."""
EYES = {5: ((0,), (1,)), 68: (range(36, 42), range(42, 48))}
"""By the count of points, those whose means are the centres of the two eyes."""


@dataclass(frozen=True)
class LandmarkDistance:
    """How far points lie apart; lower is better.

    Attributes:
        pixels: mean distance in px of a face of 512 px.
        eye_distances: the same in distances of the true eyes' centres, as the NME of face alignment.
    """

    pixels: float
    eye_distances: float


def landmark_distance(found: np.ndarray, true: np.ndarray, side: int = SIDE) -> LandmarkDistance:
    """Mean Euclidean distance of found points to the true ones ("LMD" of restoration papers).

    Args:
        found, true: (5, 2) points (eyes, nose, corners of the mouth) or (68, 2) of iBUG's scheme, in px.
        side: of the face in which they were found, in px.

    Raises:
        LimnerError: the shapes differ or are others, a number isn't finite, or the true eyes coincide.
    """
    if found.shape != true.shape or true.shape not in [(count, 2) for count in EYES]:
        raise LimnerError(
            f"Landmarks come as two arrays of 5 x 2 or 68 x 2 points, not {found.shape} and {true.shape}."
        )
    if not (np.isfinite(found).all() and np.isfinite(true).all()):
        raise LimnerError("Landmarks must be finite numbers: leave out faces whose points weren't found.")
    left, right = (true[list(eye)].mean(axis=0) for eye in EYES[len(true)])
    apart = float(np.linalg.norm(right - left))
    if apart == 0:
        raise LimnerError("The true landmarks have both eyes at one place: mend the table of points.")
    distance = float(np.linalg.norm(found.astype(np.float64) - true, axis=1).mean())
    return LandmarkDistance(distance * SIDE / side, distance / apart)
