"""Faces that other processes restore and measure: what they are told, and what they tell."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Undone:
    """A face that hasn't gone all ways.

    Attributes:
        number: its place among all.
        rows: of the ways that are left.
    """

    number: int
    rows: tuple[str, ...]


@dataclass(frozen=True)
class Gone:
    """What became of a face in one way: a picture, its figures and vectors, see `Measures.of`."""

    picture: np.ndarray
    figures: dict[str, float]
    vectors: dict[str, list[np.ndarray]]


@dataclass(frozen=True)
class MeasuredFace:
    """What became of a face in all ways that were left.

    Attributes:
        truth: what should have come back; None where nobody knows.
        ways: by their rows.
    """

    truth: np.ndarray | None
    ways: dict[str, Gone]


class FaceByFace(Protocol):
    """Whatever measures one face after another."""

    def one(self, face: Undone) -> MeasuredFace:
        """Restores and measures a face in all ways that are left."""
        ...


Elsewhere = Callable[[FaceByFace, Sequence[Undone]], Generator[MeasuredFace]]
"""Others that do so in its place, in the order of the faces that are left."""
