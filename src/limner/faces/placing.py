"""Where faces lie in a photograph: found in it, with surroundings, or the photograph is an aligned crop itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from limner.errors import LimnerError
from limner.faces.align import similarity, stretch
from limner.faces.find import Face, find_faces
from limner.faces.tone import Tone, tone
from limner.settings import Settings
from limner.template import template

MOST_UNLIKE_SQUARE = 1.05
"""Sides of an aligned crop may differ by this factor; what differs more is a photograph that was never aligned."""


class Placing(Protocol):
    """How faces lie in photographs."""

    surrounded: bool
    """Whether a face lies in surroundings, which it fades into and whose grain and colours it takes."""

    def find(self, rgb: np.ndarray) -> list[Face]:
        """All faces of a picture, (H, W, 3) uint8, largest first.

        Raises:
            LimnerError: if it can't be what the placing takes it for.
        """
        ...

    def matrix(self, rgb: np.ndarray, face: Face, size: int) -> np.ndarray:
        """The 2x3 from the picture to the face's aligned crop of `size` px."""
        ...

    def tone(self, rgb: np.ndarray, face: Face) -> Tone:
        """How the picture is coloured around a face."""
        ...

    def reference(self, rgb: np.ndarray, name: str) -> Face:
        """The face of a reference photograph; `name` is for the message.

        Raises:
            LimnerError: if it has none.
        """
        ...


@dataclass(frozen=True)
class FoundFaces:
    """Faces are looked for.

    Attributes:
        detector, yunet: see `find_faces`.
    """

    detector: str
    yunet: Path | None
    surrounded = True

    def find(self, rgb: np.ndarray) -> list[Face]:
        return find_faces(rgb, self.detector, self.yunet)

    def matrix(self, rgb: np.ndarray, face: Face, size: int) -> np.ndarray:
        return similarity(face.landmarks, size)

    def tone(self, rgb: np.ndarray, face: Face) -> Tone:
        return tone(rgb, face.box)

    def reference(self, rgb: np.ndarray, name: str) -> Face:
        if not (faces := self.find(rgb)):
            raise LimnerError(
                f"No face was found in the reference {name}: give another photograph, or --aligned if all are crops."
            )
        return faces[0]


@dataclass(frozen=True)
class AlignedCrop:
    """The picture is one face, aligned; it is only resized."""

    surrounded = False

    def find(self, rgb: np.ndarray) -> list[Face]:
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
        height, width = rgb.shape[:2]
        return stretch(width, height, size)

    def tone(self, rgb: np.ndarray, face: Face) -> Tone:
        return tone(rgb)

    def reference(self, rgb: np.ndarray, name: str) -> Face:
        return self._face(rgb, f"The reference {name}")


def placing_of(settings: Settings) -> Placing:
    """How faces lie in the photographs that the settings speak of."""
    return AlignedCrop() if settings.aligned else FoundFaces(settings.detector, settings.yunet)
