"""Landmarks of restored and true pictures, found by limner's finder or given in tables, and how far they lie apart."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from limner.errors import LimnerError
from limner.evaluate.metrics.landmarks import EYES, landmark_distance
from limner.faces.find import find_faces

FILE = "file"


@dataclass(frozen=True)
class GivenPoints:
    """Tables of landmarks, by the pictures' names; (5, 2) or (68, 2) each, in px of the picture.

    Attributes:
        true: of the true pictures.
        restored: of the restored ones; None where the finder is to look for five.
    """

    true: dict[str, np.ndarray]
    restored: dict[str, np.ndarray] | None = None

    @classmethod
    def read(cls, files: list[Path]) -> GivenPoints:
        """One table, of the true pictures; or two, the second of the restored ones.

        Raises:
            LimnerError: a table can't be read, see `read_points`; or there are more than two.
        """
        if not 1 <= len(files) <= 2:
            raise LimnerError(f"Landmarks come in one table or in two (true, restored), not in {len(files)}.")
        return cls(*(read_points(file) for file in files))

    def of(self, name: str) -> tuple[np.ndarray | None, np.ndarray]:
        """A picture's points, None where they are to be found, and the true ones.

        Raises:
            LimnerError: if the tables don't have them.
        """
        for table in (self.true, self.restored):
            if table is not None and name not in table:
                raise LimnerError(f"The table of landmarks has no line for {name}: add it, or leave the picture out.")
        return None if self.restored is None else self.restored[name], self.true[name]


def read_points(path: Path) -> dict[str, np.ndarray]:
    """A table of landmarks by the files' names without suffix: a column `file`, then 10 or 136 coordinates x, y; what
    stands behind them is left out.

    Raises:
        LimnerError: it can't be read, or a line holds other than numbers, or too few.
    """
    try:
        with path.open(encoding="utf-8", newline="") as table:
            lines = list(csv.DictReader(table))
    except (OSError, UnicodeDecodeError) as error:
        raise LimnerError(f"The table of landmarks {path} can't be read: give a CSV with a column `file`.") from error
    points: dict[str, np.ndarray] = {}
    for line in lines:
        file = line.pop(FILE, None)
        try:
            if file is None:
                raise ValueError("no file")
            values = list(line.values())
            count = max(many for many in EYES if 2 * many <= len(values))
            numbers = np.array([float(value) for value in values[: 2 * count]])
            if not np.isfinite(numbers).all():
                raise ValueError("not finite")
            points[Path(file).stem] = numbers.reshape(count, 2)
        except (ValueError, TypeError) as error:
            raise LimnerError(
                f"{path} is no table of landmarks at {file or 'its head'}: give a column `file` and 10 or 136 numbers."
            ) from error
    return points


def found_distance(restored: np.ndarray, truth: np.ndarray) -> float:
    """`landmark_distance` of the five points that limner's finder finds in both pictures, (H, W, 3) uint8, in px of a
    face of 512; NaN where it finds none in one of them."""
    true = found_points(truth)
    return float("nan") if true is None else given_distance(restored, None, true)


def given_distance(restored: np.ndarray, points: np.ndarray | None, true: np.ndarray) -> float:
    """`landmark_distance` of given points, in px of a face of 512; NaN where they are to be found and aren't.

    Args:
        restored: (H, W, 3) uint8.
        points: in it; None where limner's finder is to find five.
        true: where they should be.

    Raises:
        LimnerError: see `landmark_distance`.
    """
    if points is None:
        points = found_points(restored)
    return float("nan") if points is None else landmark_distance(points, true, max(restored.shape[:2])).pixels


def found_points(picture: np.ndarray) -> np.ndarray | None:
    """The five points of the largest face that is found, (5, 2), or None."""
    return _found(picture.tobytes(), picture.shape)


@lru_cache(maxsize=4)  # a truth is asked for again with every method
def _found(pixels: bytes, shape: tuple[int, ...]) -> np.ndarray | None:
    faces = find_faces(np.frombuffer(pixels, np.uint8).reshape(shape).copy())
    return faces[0].landmarks if faces else None
