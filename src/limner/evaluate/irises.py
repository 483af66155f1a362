"""How far labels and found points lie from the eyes themselves, measured on the picture.

    python -m limner.evaluate.irises --data FACES [--split test] [--points landmarks_mediapipe.csv]

The labels of `landmarks.csv` are a detector's, those of the other table more exact. Where a face is large and clear the
centre of an iris can be found without any training: it is the circle across whose edge the picture brightens most
(Daugman 1993, eq. 1, with the mean over the arcs left and right, which no eyelid covers). Only crops of 512 px are
measured, and only eyes whose circle is plain.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
from PIL import Image

from limner.data.faces import MESH_POINTS, FaceSet, Split
from limner.faces.find import find_faces

SIDE = 512
RADII = 0.07, 0.12  # of plausible irises in eye distances: 12 mm across, eyes 63 mm apart
REACH = 0.14  # how far from the label the iris may lie, in eye distances
PLAIN = 25.0  # grey levels by which the picture must brighten across the edge
ARCS = np.concatenate([np.linspace(-np.pi / 4, np.pi / 4, 31), np.linspace(3 * np.pi / 4, 5 * np.pi / 4, 31)])


@dataclass(frozen=True)
class Distances:
    """Mean and median distances from the centre of the iris, in eye distances.

    Attributes:
        eyes: how many were measured.
        labels, labels_median: of the labels.
        found, found_median: of the finder's points.
    """

    eyes: int
    labels: float
    labels_median: float
    found: float
    found_median: float


def iris(grey: np.ndarray, near: np.ndarray, eyes: float) -> np.ndarray | None:
    """The centre of the iris near a point, or None where no circle is plain.

    Args:
        grey: H x W uint8.
        near: x, y.
        eyes: distance of the two eyes in pixels.
    """
    smooth = cv2.GaussianBlur(grey, (0, 0), 1.0).astype(np.float32)
    radii = np.arange(RADII[0] * eyes - 1, RADII[1] * eyes + 1, 0.5)
    steps = np.arange(-REACH * eyes, REACH * eyes + 0.1)
    x, y = (axis.ravel() for axis in np.meshgrid(near[0] + steps, near[1] + steps))
    on_x = x[:, None, None] + radii[:, None] * np.cos(ARCS)
    on_y = y[:, None, None] + radii[:, None] * np.sin(ARCS)
    shape = on_x.shape
    map_x, map_y = (axis.reshape(len(x), -1).astype(np.float32) for axis in (on_x, on_y))
    means = cv2.remap(smooth, map_x, map_y, cv2.INTER_LINEAR).reshape(shape).mean(-1)
    edge = means[:, 4:] - means[:, :-4]
    # a dark disc, and not the lower edge of a bright one
    place, radius = np.unravel_index((edge - 0.3 * means[:, :-4]).argmax(), edge.shape)
    inside = 0 < radius < edge.shape[1] - 1  # at either end the true circle may be another's
    return np.array([x[place], y[place]]) if inside and edge[place, radius] >= PLAIN else None


def measure(faces: FaceSet) -> Distances:
    """Measures labels and finder on the large crops of a split."""
    labels, found = [], []
    for index in range(len(faces)):
        if Image.open(faces.folder / faces.files[index]).height < SIDE:
            continue
        picture, points = faces.image(index, SIDE), faces.landmarks(index, SIDE).astype(np.float64)
        eyes = float(np.linalg.norm(points[1] - points[0]))
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        seen = find_faces(picture)
        for eye in (0, 1):
            centre = iris(grey, points[eye], eyes)
            if centre is not None and seen:
                labels.append(np.linalg.norm(points[eye] - centre) / eyes)
                found.append(np.linalg.norm(seen[0].landmarks[eye] - centre) / eyes)
    figures = [float(of(distances)) for distances in (labels, found) for of in (np.mean, np.median)]
    return Distances(len(labels), *figures)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m limner.evaluate.irises", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of aligned faces with its two tables")
    parser.add_argument("--split", choices=get_args(Split), default="test")
    parser.add_argument("--points", default="landmarks.csv", help=f"table of labels: that, or {MESH_POINTS}")
    arguments = parser.parse_args()
    result = measure(FaceSet.open(arguments.data, arguments.split, points=arguments.points))
    print(f"{result.eyes} eyes: labels {result.labels:.2%} (median {result.labels_median:.2%}) from the iris, ", end="")
    print(f"finder {result.found:.2%} (median {result.found_median:.2%})")


if __name__ == "__main__":
    main()
