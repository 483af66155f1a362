"""Restores the faces of a folder of old photographs with every method and lays them side by side.

    python examples/old_photos.py FOLDER [SHEET.jpg]

A row a photograph: its largest face as it is, and as each method gives it back, cut out around the face.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from limner import LimnerError, Photo, Restorer, Settings
from limner.evaluate.report import contact_sheet
from limner.methods import METHODS

SIDE = 220
AROUND = 1.9  # the cut, in boxes of the face


def face_of(picture: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """The square around a face, (SIDE, SIDE, 3) uint8; beyond the picture's edge its edge goes on."""
    x, y, half = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, AROUND * (box[2] - box[0]) / 2
    matrix = np.array([[1, 0, half - x], [0, 1, half - y]]) * SIDE / (2 * half)
    way = cv2.INTER_AREA if 2 * half > SIDE else cv2.INTER_CUBIC
    return cv2.warpAffine(picture, matrix, (SIDE, SIDE), flags=way, borderMode=cv2.BORDER_REPLICATE)


def main(folder: Path, sheet: Path) -> None:
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if not paths:
        raise LimnerError(f"{folder} holds no JPEG or PNG: give a folder of photographs.")
    restorers = {method: Restorer(Settings(method=method, faces="largest")) for method in METHODS}
    rows = []
    for path in paths:
        photo = Photo.open(path)
        found = next(iter(restorers.values())).find(photo.srgb())
        if not found:
            print(f"{path}: no face found")
            continue
        row = [face_of(photo.srgb(), found[0].box)]
        for restorer in restorers.values():
            row.append(face_of(restorer.restore(photo).photos[0].srgb(), found[0].box))
        rows.append(row)
        print(path.name, flush=True)
    picture = contact_sheet(rows, ["before", *restorers])
    cv2.imwrite(str(sheet), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else "old_photos.jpg"))
    except LimnerError as error:
        sys.exit(f"limner: {error}")
