"""A folder of aligned face crops with its `index.csv` and `landmarks.csv`, as training and evaluation read it.

The columns that are used: `file`, `person_id` and `split` of the index, and the five points of every file, in its own
pixels. The split `test` is only measured on. `val` is carved out of `train` by person, and the people listed in
`held_out_people.txt` (two photographs each) belong to no training at all: they measure restoration with references.
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from limner.errors import LimnerError

Split = Literal["train", "val", "test", "held-out"]
VALIDATION_SHARE = 0.04
MESH_POINTS = "landmarks_mediapipe.csv"
"""A second table of points, by MediaPipe's mesh and iris nets: centres of the irises, tip of the nose, corners of the
mouth, the mean of a picture and its mirror image."""
TRUSTED = 0.5
"""The `mesh_score` from which those points are taken."""


@lru_cache(maxsize=1)
def held_out_people() -> frozenset[str]:
    """Ids of the people that no training sees although the index calls them `train`."""
    text = resources.files("limner.data").joinpath("held_out_people.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


def split_of(person: str, listed: str) -> Split:
    """The split a person's photographs belong to, given what the index lists."""
    if listed == "test":
        return "test"
    if person in held_out_people():
        return "held-out"
    share = int.from_bytes(hashlib.sha256(person.encode()).digest()[:8]) / 2**64
    return "val" if share < VALIDATION_SHARE else "train"


@dataclass
class FaceSet:
    """The faces of a split, or of several.

    Attributes:
        folder: where the files lie.
        files: their names, in the index's order.
        people: the person of each.
        points: (N, 5, 2) float32, in units of the crop's side, from its edge (0) to the other (1).
        sides: of the files in pixels.
    """

    folder: Path
    files: list[str]
    people: list[str]
    points: np.ndarray
    sides: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._decoded: dict[int, dict[int, np.ndarray]] = {}

    @classmethod
    def open(cls, folder: Path | str, *splits: Split, points: str = "landmarks.csv") -> FaceSet:
        """Reads the tables; pictures are decoded when asked for.

        Args:
            folder: holds the pictures and both tables.
            splits: whose faces are taken together; by default `train`.
            points: the table of the five points; `MESH_POINTS` are more exact.

        Raises:
            LimnerError: if a table is missing or the splits are empty.
        """
        folder, splits = Path(folder), splits or ("train",)
        for table in ("index.csv", points):
            if not (folder / table).is_file():
                raise LimnerError(f"{folder} has no {table}: give a folder of aligned faces with both tables.")
        with (folder / points).open(encoding="utf-8", newline="") as table:
            known = {
                row["file"]: np.array(list(row.values())[1:11], dtype=np.float32).reshape(5, 2)
                for row in csv.DictReader(table)
                if float(row.get("mesh_score", 1)) >= TRUSTED
            }
        files, people, places, sides = [], [], [], []
        with (folder / "index.csv").open(encoding="utf-8", newline="") as table:
            for row in csv.DictReader(table):
                if split_of(row["person_id"], row["split"]) in splits and row["file"] in known:
                    files.append(row["file"])
                    people.append(row["person_id"])
                    places.append((known[row["file"]] + 0.5) / float(row["out_size"]))
                    sides.append(int(row["out_size"]))
        if not files:
            raise LimnerError(f"{folder / 'index.csv'} lists no face of the split '{' or '.join(splits)}'.")
        return cls(folder, files, people, np.stack(places), sides)

    def __len__(self) -> int:
        return len(self.files)

    def first(self, count: int) -> FaceSet:
        """The first `count` faces of the split."""
        return self._of(list(range(len(self)))[:count])

    def large(self, side: int) -> FaceSet:
        """The faces whose files have `side` px or more."""
        return self._of([place for place, own in enumerate(self.sides) if own >= side])

    def spread(self, count: int) -> FaceSet:
        """At most `count` faces, evenly spread over the split: its files are sorted by where they come from."""
        return self._of(np.unique(np.linspace(0, len(self) - 1, count).round().astype(int)).tolist())

    def _of(self, places: list[int]) -> FaceSet:
        files, people = ([names[place] for place in places] for names in (self.files, self.people))
        return FaceSet(self.folder, files, people, self.points[places], [self.sides[i] for i in places if self.sides])

    def image(self, index: int, size: int) -> np.ndarray:
        """Face `index` at (size, size, 3) uint8 RGB; decoded once and kept in memory.

        Raises:
            LimnerError: if the file can't be read.
        """
        kept = self._decoded.setdefault(size, {})
        if index not in kept:
            kept[index] = self.read(index, size)
        return kept[index]

    def read(self, index: int, size: int) -> np.ndarray:
        """As `image`, but it is not kept."""
        picture = read_picture(self.folder / self.files[index])
        if picture.shape[0] == size:
            return picture
        way = cv2.INTER_AREA if picture.shape[0] > size else cv2.INTER_CUBIC
        return cv2.resize(picture, (size, size), interpolation=way)

    def landmarks(self, index: int, size: int) -> np.ndarray:
        """The five points of face `index` in pixels of a crop of `size`, (5, 2) float32; (0, 0) is the centre of the
        upper left one."""
        return self.points[index] * size - np.float32(0.5)


def read_picture(path: Path) -> np.ndarray:
    """A file to train on, (H, W, 3) uint8 RGB.

    Raises:
        LimnerError: if it can't be read.
    """
    data = np.frombuffer(path.read_bytes(), np.uint8) if path.is_file() else np.empty(0, np.uint8)
    bgr = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if bgr is None:
        raise LimnerError(f"{path} can't be read as a picture: restore the file or drop it from the index.")
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
