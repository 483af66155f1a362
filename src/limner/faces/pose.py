"""How far a face is turned: a mean head fitted to its five points, under scaled orthographic projection."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from limner.faces.align import fit_similarity, transform

MEAN_HEAD = np.array([(-31.5, 0, 0), (31.5, 0, 0), (0, 40, 44), (-27.5, 64, 11), (27.5, 64, 11)])
"""The five points of a mean head in millimetres, x to the right as seen, y down, z towards the camera, (5, 3).

Our own, of anthropometric proportions: pupils 63 apart; the mouth 64 below them and, as on portraits, half smiling;
the nose's tip 31 and the mouth's corners -2 before the corneas. Whoever turns the head looks at the camera all the
same, so the pupils lie in line with the centres of the eyeballs, 13 behind the corneas, and those are the eyes here.
`python -m limner.evaluate.face_quality` holds the depth of the nose against what the eyes' distance says.
"""

_EYES = 63.0
_MOST_YAW, _MOST_PITCH = 90.0, 45.0
_STEPS = (6.0, 1.0, 0.2)
"""Degrees between the angles that are tried: all, then those about the best, and about the best of these."""
POORLY = 0.15
"""Residual, in eye distances, from which five points fit no head. Of 3,401 labelled faces none has more than 0.14:
those that laugh have most, whose mouths are far wider than the mean head's."""


@dataclass(frozen=True)
class Pose:
    """How a head is turned, in degrees.

    Attributes:
        yaw: about the head's own vertical axis, -90 to 90: positive to the right as seen.
        pitch: up or down, -45 to 45: positive upwards; 0 is how portraits hold the head on average.
        roll: in the plane of the picture, -180 to 180: positive clockwise.
        residual: root mean square distance of the five points from those of the mean head, in its eye distances.
    """

    yaw: float
    pitch: float
    roll: float
    residual: float

    @property
    def sure(self) -> bool:
        """Whether the points are those of a head, so that the angles mean something."""
        return self.residual < POORLY


def projected(yaw: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """The mean head's five points as an upright camera sees them, in millimetres: R_pitch R_yaw X without its depth.

    Args:
        yaw, pitch: (...) in degrees, as `Pose` has them.

    Returns:
        (..., 5, 2).
    """
    yaw, pitch = np.radians(yaw)[..., None], np.radians(pitch)[..., None]
    x, y, z = MEAN_HEAD.T
    forward = z * np.cos(yaw) - x * np.sin(yaw)
    return np.stack([x * np.cos(yaw) + z * np.sin(yaw), y * np.cos(pitch) - forward * np.sin(pitch)], -1)


def pose_of(landmarks: np.ndarray) -> Pose:
    """The pose at which the mean head fits five points best.

    Of each yaw and pitch the best roll, scale and place are known in closed form (`fit_similarity`), so that both
    angles can simply be tried: no start is needed, and no false minimum is met.

    Args:
        landmarks: (5, 2), in the order of `Face.landmarks`, finite and not all on one spot.
    """
    points = np.asarray(landmarks, np.float64)
    yaws, pitches, head = _everywhere()
    residuals, fits = _residuals(head, points)
    best = int(residuals.argmin())
    for coarse, fine in pairwise(_STEPS):
        near = np.linspace(-coarse, coarse, 2 * round(coarse / fine) + 1)
        yaws, pitches = (one.ravel() for one in np.meshgrid(yaws[best] + near, pitches[best] + near))
        residuals, fits = _residuals(projected(yaws, pitches), points)
        best = int(residuals.argmin())
    roll = np.degrees(np.arctan2(fits[best, 1, 0], fits[best, 0, 0]))
    return Pose(float(yaws[best]), float(pitches[best]), float(roll), float(residuals[best]))


@lru_cache(maxsize=1)
def _everywhere() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Yaws and pitches that are tried first, (N,) each, and the mean head at each, (N, 5, 2)."""
    yaws, pitches = (np.arange(-most, most + 0.1, _STEPS[0]) for most in (_MOST_YAW, _MOST_PITCH))
    yaw, pitch = (one.ravel() for one in np.meshgrid(yaws, pitches))
    return yaw, pitch, projected(yaw, pitch)


def _residuals(head: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far five points (5, 2) lie from a head's (N, 5, 2) laid on them, as `Pose.residual`, (N,); and the
    similarities (N, 2, 3) that lay it there."""
    fits = fit_similarity(head, points)
    scales = np.maximum(np.hypot(fits[:, 0, 0], fits[:, 1, 0]), 1e-9)
    off = np.square(transform(head, fits) - points).sum(-1).mean(-1)
    return np.sqrt(off) / (_EYES * scales), fits
