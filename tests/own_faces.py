"""A folder of aligned faces as `../shared/faces` is laid out, for whoever has the repository alone.

All are one photograph that may be shipped: scikit-image's `astronaut` (Eileen Collins, by NASA, in the public domain),
mirrored, turned, stretched and coloured anew for each "person", so that loaders, recipes and protocols have splits,
pairs and points to work on. How well a net knows people apart or restores strangers, they can't show.
"""

from __future__ import annotations

import csv
from itertools import count, islice
from pathlib import Path

import cv2
import numpy as np
from skimage import data

from limner.data.faces import held_out_people, split_of
from limner.faces.align import crop, similarity, transform

POINTS = np.array([[203.2, 100.8], [247.0, 104.0], [224.3, 128.5], [202.1, 139.5], [243.0, 142.5]], np.float32)
"""Eyes, nose and corners of the mouth in the photograph, in pixels."""

NAMES = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
SIZES = {True: 512, False: 256}
"""Of a person's crops: one in eight are large."""

INDEX = (
    *("file", "source_repo", "source_path", "licence", "kind", "person_id", "orig_w", "orig_h", "face_w", "face_h"),
    *("crop_side_px", "out_size", "outside_frac", "sharp", "score", "split", "n_same_person"),
)


def people() -> list[tuple[str, str, int]]:
    """Who they are, the split that the index lists, and how many photographs each has."""
    made = (f"astronaut:{n:03d}" for n in count())
    of_val = islice((f"astronaut:v{n:03d}" for n in count() if split_of(f"astronaut:v{n:03d}", "train") == "val"), 8)
    train = list(islice((person for person in made if split_of(person, "train") == "train"), 40))
    held_out = sorted(held_out_people())
    return (
        [(person, "test", 2 - n // 4) for n, person in enumerate(f"astronaut:t{n:03d}" for n in range(8))]
        + [(person, "train", 2 if n < 8 else 1) for n, person in enumerate(train)]
        + [(person, "train", 1) for person in of_val]
        + [(person, "train", 2) for person in held_out]
    )


def lay_out_faces(folder: Path) -> None:
    """Crops, their index and their points, below `folder`, which is made."""
    folder.mkdir(parents=True)
    photo, random = data.astronaut(), np.random.RandomState(0)
    index, landmarks, mesh = list[dict](), list[dict](), list[dict]()
    for place, (person, split, photographs) in enumerate(people()):
        look, size = random.uniform(-1, 1, 6), SIZES[place % 8 == 7]
        for number in range(1, photographs + 1):
            file = f"{person.replace(':', '_')}_{number}.jpg"
            picture, points = portrait(photo, size, look, random.uniform(-1, 1, 4))
            cv2.imwrite(str(folder / file), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
            facts = {"file": file, "source_repo": "scikit-image", "source_path": "astronaut.png", "kind": "real"}
            facts |= {"licence": "public domain (NASA)", "person_id": person, "split": split, "out_size": size}
            index.append(dict.fromkeys(INDEX, 200) | facts | {"outside_frac": 0.0, "n_same_person": photographs})
            columns = [f"{name}_{axis}" for name in NAMES for axis in "xy"]
            where = {column: f"{at:.2f}" for column, at in zip(columns, points.flatten(), strict=True)}
            landmarks.append({"file": file, **where, "score": "0.95"})
            mesh.append({"file": file, **where, "mesh_score": "0.95", "mirror_difference": "0.01"})
    for name, rows in (("index", index), ("landmarks", landmarks), ("landmarks_mediapipe", mesh)):
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as table:
            writer = csv.DictWriter(table, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


def portrait(photo: np.ndarray, size: int, look: np.ndarray, moment: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One photograph: `look` (6 numbers from -1 to 1) is the person, `moment` (4) the light and the pose.

    Returns:
        An aligned crop, (size, size, 3) uint8, and its five points in pixels.
    """
    stretch = np.array([[1 + 0.12 * look[0], 0.08 * look[1]], [0.08 * moment[0], 1 + 0.12 * look[2]]])
    matrix = np.hstack([stretch, [[20 * moment[1]], [20 * moment[2]]]]).astype(np.float32)
    bent = cv2.warpAffine(photo, matrix, (512, 512), borderMode=cv2.BORDER_REFLECT)
    points = transform(POINTS, matrix)
    if look[3] > 0:
        bent = np.ascontiguousarray(bent[:, ::-1])
        points = np.stack([511 - points[:, 0], points[:, 1]], axis=1)[[1, 0, 2, 4, 3]]
    tint = 1 + 0.15 * np.array([look[4], 0, look[5]]) + 0.1 * moment[3]
    coloured = np.clip(bent * tint, 0, 255).astype(np.uint8)
    to_crop = similarity(points, size)
    return crop(coloured, to_crop, size), transform(points, to_crop)
