"""Where faces lie in a photograph: found in it, with surroundings, or the photograph is an aligned crop itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from limner.errors import LimnerError
from limner.faces.align import similarity, stretch
from limner.faces.find import Face, find_faces, smallest_found
from limner.faces.tone import Tone, tone
from limner.settings import Settings
from limner.template import template

MOST_UNLIKE_SQUARE = 1.05
"""Sides of an aligned crop may differ by this factor; what differs more is a photograph that was never aligned."""

LARGE_FACE = 100
"""Side in pixels from which it is told that faces are too small to be found in a photograph: so large a face looks
like one that is found."""


class Placing(Protocol):
    """How faces lie in photographs: they are looked for (`FoundFaces`), or the photograph is one (`AlignedCrop`).

    Attributes:
        surrounded: whether a face lies in surroundings, which it fades into and whose grain and colours it takes.
    """

    surrounded: bool

    def find(self, rgb: np.ndarray) -> list[Face]:
        """All faces of a picture, (H, W, 3) uint8, largest first.

        Raises:
            LimnerError: if it can't be what the placing takes it for.
        """
        ...

    def matrix(self, rgb: np.ndarray, face: Face, size: int) -> np.ndarray:
        """The 2x3 float64 matrix from a picture to a face's aligned crop.

        Args:
            rgb: (H, W, 3) uint8.
            face: one of `find`.
            size: side of the crop in pixels.
        """
        ...

    def tone(self, rgb: np.ndarray, face: Face) -> Tone:
        """How the picture, (H, W, 3) uint8, is coloured around a face."""
        ...

    def notes(self, rgb: np.ndarray) -> list[str]:
        """What the user should know of the search in a picture, (H, W, 3) uint8, one sentence each."""
        ...

    def reference(self, rgb: np.ndarray, name: str) -> Face:
        """The face of a reference photograph, the largest of them.

        Args:
            rgb: (H, W, 3) uint8.
            name: of the photograph, for the message.

        Raises:
            LimnerError: if it has none.
        """
        ...


@dataclass(frozen=True)
class FoundFaces:
    """Faces are looked for; each method does as `Placing` says.

    Attributes:
        detector: `limner` or `yunet`.
        yunet: the ONNX file of YuNet, for that detector; None is the fetched one.
    """

    detector: str
    yunet: Path | None
    surrounded = True

    def find(self, rgb: np.ndarray) -> list[Face]:
        """All faces of a picture, (H, W, 3) uint8, largest first."""
        return find_faces(rgb, self.detector, self.yunet)

    def matrix(self, rgb: np.ndarray, face: Face, size: int) -> np.ndarray:
        """The similarity that lays the face's points on the template of a crop of `size` px, 2x3."""
        return similarity(face.landmarks, size)

    def tone(self, rgb: np.ndarray, face: Face) -> Tone:
        """How the picture is coloured in and around the face's box."""
        return tone(rgb, face.box)

    def notes(self, rgb: np.ndarray) -> list[str]:
        """Which faces a picture, (H, W, 3) uint8, is too large for."""
        smallest = smallest_found(rgb.shape[1], rgb.shape[0], self.detector)
        if smallest < LARGE_FACE:
            return []
        return [
            f"Faces smaller than {smallest:.0f} px are not searched for in so large a photo: to restore one, cut out "
            "the part that holds it."
        ]

    def reference(self, rgb: np.ndarray, name: str) -> Face:
        """The largest face of a reference photograph; `name` is for the message.

        Raises:
            LimnerError: if none is found.
        """
        if not (faces := self.find(rgb)):
            raise LimnerError(
                f"No face was found in the reference {name}: give another photograph, or --aligned if all are crops."
            )
        return faces[0]


@dataclass(frozen=True)
class AlignedCrop:
    """The picture is one face, FFHQ-aligned and square or nearly so; it is only resized. Each method does as `Placing`
    says."""

    surrounded = False

    def find(self, rgb: np.ndarray) -> list[Face]:
        """The whole picture, (H, W, 3) uint8, as one face of score 1.

        Raises:
            LimnerError: if the picture is far from square.
        """
        return [self._face(rgb, "The photo")]

    def _face(self, rgb: np.ndarray, what: str) -> Face:
        height, width = rgb.shape[:2]
        if max(height, width) > MOST_UNLIKE_SQUARE * min(height, width):
            raise LimnerError(
                f"{what} is {width} x {height} pixels, so it is no aligned crop: give square crops, or leave out "
                "--aligned."
            )
        points = (template(1) * (width, height)).astype(np.float32)
        return Face((0.0, 0.0, float(width), float(height)), points, 1.0)

    def matrix(self, rgb: np.ndarray, face: Face, size: int) -> np.ndarray:
        """The matrix that resizes the picture to a crop of `size` px, 2x3."""
        height, width = rgb.shape[:2]
        return stretch(width, height, size)

    def tone(self, rgb: np.ndarray, face: Face) -> Tone:
        """How the whole picture is coloured."""
        return tone(rgb)

    def notes(self, rgb: np.ndarray) -> list[str]:
        """Nothing is searched for."""
        return []

    def reference(self, rgb: np.ndarray, name: str) -> Face:
        """The whole picture as the face; `name` is for the message.

        Raises:
            LimnerError: if the picture is far from square.
        """
        return self._face(rgb, f"The reference {name}")


def placing_of(settings: Settings) -> Placing:
    """How faces lie in the photographs of a run: found, or aligned already where the settings say so."""
    return AlignedCrop() if settings.aligned else FoundFaces(settings.detector, settings.yunet)
