"""Restores the faces of a folder of old photographs with every method and lays them side by side.

    python examples/old_photos.py FOLDER [SHEET.jpg]

A row a photograph: its largest face as it is, and as each method gives it back, cut out around the face. Printed is how
much of the face's detail each leaves: the Laplacian variance in its box, over that before.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from limner import LimnerError, Photo, Restorer, Settings
from limner.evaluate.metrics.detail import laplacian_variance
from limner.evaluate.report import contact_sheet
from limner.folder.find import find_photos
from limner.methods import METHODS

SIDE = 220
AROUND = 1.9  # the cut, in boxes of the face


def face_of(picture: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """The square around a face, (SIDE, SIDE, 3) uint8; beyond the picture's edge its edge goes on."""
    x, y, half = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, AROUND * (box[2] - box[0]) / 2
    matrix = np.array([[1, 0, half - x], [0, 1, half - y]]) * SIDE / (2 * half)
    way = cv2.INTER_AREA if 2 * half > SIDE else cv2.INTER_CUBIC
    return cv2.warpAffine(picture, matrix, (SIDE, SIDE), flags=way, borderMode=cv2.BORDER_REPLICATE)


def detail_in(picture: np.ndarray, box: tuple[float, float, float, float]) -> float:
    """The Laplacian variance inside a box."""
    x0, y0, x1, y1 = (max(round(v), 0) for v in box)
    return laplacian_variance(np.ascontiguousarray(picture[y0:y1, x0:x1]))


def main(folder: Path, sheet: Path) -> None:
    restorers = {method: Restorer(Settings(method=method, faces="largest")) for method in METHODS}
    rows = []
    for path, _ in find_photos([folder]).photos:
        photo = Photo.open(path)
        done = [restorer.restore(photo) for restorer in restorers.values()]
        if not done[0].faces:
            print(f"{path.name}: no face found", flush=True)
            continue
        pictures = [photo, *(one.photos[0] for one in done)]
        box = done[0].faces[0].box
        rows.append([face_of(picture.srgb(), box) for picture in pictures])
        before, *after = (detail_in(picture.srgb(), box) for picture in pictures)
        left = ", ".join(f"{name} {one / before:.2f}" for name, one in zip(restorers, after, strict=True))
        print(f"{path.name}: {left}", flush=True)
    if not rows:
        raise LimnerError(f"No photograph in {folder} has a face that limner finds: give others.")
    picture = contact_sheet(rows, ["before", *restorers])
    cv2.imwrite(str(sheet), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else "old_photos.jpg"))
    except LimnerError as error:
        sys.exit(f"limner: {error}")
