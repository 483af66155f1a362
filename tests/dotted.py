"""A "face" of five discs of different colours on grey, on which points can be seen."""

from pathlib import Path

import cv2
import numpy as np

from limner.data.faces import FaceSet
from limner.nets.alignnet import upright_points

COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255)]


def dotted_face(folder: Path, radius: int) -> FaceSet:
    """Writes the picture, 256 px, with discs of that radius in pixels about the five points."""
    points = (upright_points(1) * 0.8 + 0.1).astype(np.float32)
    picture = np.full((256, 256, 3), 128, np.uint8)
    for place, colour in zip(points * 256 - 0.5, COLOURS, strict=True):
        cv2.circle(picture, np.rint(place * 16).astype(int).tolist(), radius * 16, colour[::-1], -1, cv2.LINE_AA, 4)
    cv2.imwrite(str(folder / "dots.png"), picture)
    return FaceSet(folder, ["dots.png"], ["nobody"], points[None])
