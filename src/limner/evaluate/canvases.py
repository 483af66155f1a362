"""How often and how exactly faces are found that stand in a larger picture, upright, tilted, lying and upside down.

Every crop, clean or under a preset at 512 px, is laid on a canvas of 768 px, its own blurred enlargement, and turned
with it. Errors are the mean distance of the five points from those of MediaPipe's mesh (`landmarks_mediapipe.csv`), in
eye distances.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from limner.data.faces import FaceSet
from limner.degrade.degrade import degrade
from limner.faces.align import transform
from limner.faces.find import find_faces

SIDE, CANVAS = 512, 768
TURNS = (0, 30, 90, 180)


@dataclass(frozen=True)
class Finds:
    """One row of the table.

    Attributes:
        degraded: None or the name of the preset.
        turn: degrees, clockwise.
        faces: how many were shown.
        found: share of them that was found.
        false: found faces per picture that are not the crop's own.
        mean, median: errors of the found ones in eye distances.
    """

    degraded: str | None
    turn: float
    faces: int
    found: float
    false: float
    mean: float
    median: float


def on_canvas(crop: np.ndarray, points: np.ndarray, turn: float) -> tuple[np.ndarray, np.ndarray]:
    """A crop, (SIDE, SIDE, 3) uint8, in the middle of a canvas that is turned clockwise by `turn` degrees, and where
    its five points lie then, (5, 2)."""
    rim = (CANVAS - SIDE) // 2
    canvas = cv2.GaussianBlur(cv2.resize(crop, (CANVAS, CANVAS)), (0, 0), CANVAS / 20)
    canvas[rim : rim + SIDE, rim : rim + SIDE] = crop
    matrix = cv2.getRotationMatrix2D(((CANVAS - 1) / 2, (CANVAS - 1) / 2), -turn, 1)
    turned = cv2.warpAffine(canvas, matrix, (CANVAS, CANVAS), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    return turned, transform(points + np.float64(rim), matrix)


def measure(
    faces: FaceSet,
    degraded: str | None,
    turn: float,
    seed: int = 0,
    detector: str = "limner",
    yunet: Path | None = None,
) -> Finds:
    """Measures one condition.

    Args:
        faces: all of them are shown.
        degraded: a preset of `limner.degrade.degrade`, or None for the clean crops.
        turn: degrees, clockwise.
        seed: of the degradations.
        detector, yunet: as for `find_faces`.
    """
    errors, strangers = [], 0
    for index in range(len(faces)):
        crop = faces.image(index, SIDE)
        if degraded:
            crop = degrade(crop, degraded, np.random.default_rng((seed, index)))
        picture, truth = on_canvas(crop, faces.landmarks(index, SIDE), turn)
        eyes = np.linalg.norm(truth[1] - truth[0])
        away = [
            float(np.linalg.norm(face.landmarks - truth, axis=1).mean() / eyes)
            for face in find_faces(picture, detector, yunet)
        ]
        hit = min(away, default=np.inf) < 0.5
        errors += [min(away)] if hit else []
        strangers += len(away) - hit
    mean, median = (float(of(errors)) if errors else float("nan") for of in (np.mean, np.median))
    return Finds(degraded, turn, len(faces), len(errors) / len(faces), strangers / len(faces), mean, median)


def table(rows: list[Finds]) -> str:
    """The rows as text."""
    lines = ["on a canvas, MediaPipe's points   faces  found  false   mean  median"]
    for row in rows:
        name = f"{row.degraded or 'clean'}, turned by {row.turn:.0f}"
        lines.append(f"{name:<33}{row.faces:>6}{row.found:>7.1%}{row.false:>7.2f}{row.mean:>7.2%}{row.median:>8.2%}")
    return "\n".join(lines)
