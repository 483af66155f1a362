"""What the album wants to know of a photograph: its faces, and a vector of each."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from limner.album.store import AlbumFace
from limner.errors import LimnerError, unexpected
from limner.faces.align import crop, similarity
from limner.faces.find import Face
from limner.faces.placing import Placing
from limner.faces.recogniser import SIDE, Recogniser
from limner.faces.seen import seen
from limner.photo.exif import taken_of
from limner.photo.photo import Photo

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Look:
    """What was seen of a photograph.

    Attributes:
        faces: in the photo's pixels.
        vectors: of each, (N, D) float32.
        width, height, taken, problem: see `AlbumPhoto`.
    """

    faces: list[AlbumFace] = field(default_factory=list)
    vectors: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    width: int = 0
    height: int = 0
    taken: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Looker:
    """Finds the faces of photographs and embeds them.

    Attributes:
        recogniser: that makes the vectors.
        placing: how faces lie in photographs.
        max_megapixels: larger photographs are passed over.
    """

    recogniser: Recogniser
    placing: Placing
    max_megapixels: float = 100.0

    def __call__(self, path: Path) -> Look:
        """Looks at a photograph; one that can't be looked at has a problem."""
        faces, about = list[AlbumFace](), {}
        vectors = np.zeros((0, self.recogniser.width), np.float32)
        problem = None
        try:
            photo = Photo.open(path, self.max_megapixels)
            rgb = photo.srgb()
            height, width = rgb.shape[:2]
            about = {"width": width, "height": height, "taken": taken_of(photo.exif) if photo.exif else None}
            faces = [_face_of(rgb, face, self.placing) for face in self.placing.find(rgb)]
            vectors = self.recogniser(
                [crop(rgb, similarity(one.landmarks, SIDE), SIDE) for one in faces], [one.damage for one in faces]
            )
        except LimnerError as error:
            problem = str(error)
        except Exception as error:  # one photo's misfortune ends no album
            log.debug("%s", path, exc_info=error)
            problem = f"{path} can't be looked at: {unexpected(error)}."
        return Look(faces, vectors, **about, problem=problem)


class Ahead:
    """Looks that others took ahead.

    Args:
        looks: the photographs' places among all of a run, growing, and what was seen.
    """

    def __init__(self, looks: Iterator[tuple[int, Look]]):
        self._looks, self._next = looks, (-1, Look())

    def of(self, place: int) -> Look | None:
        """What was seen of a photograph, of a later one than before; None where nobody has looked."""
        while self._next[0] < place:
            if (found := next(self._looks, None)) is None:
                return None
            self._next = found
        return self._next[1] if self._next[0] == place else None


def _face_of(rgb: np.ndarray, found: Face, placing: Placing) -> AlbumFace:
    """A found face with what the album keeps of it."""
    face = seen(rgb, found, placing, SIDE)
    pose = face.pose if face.pose and face.pose.sure else None
    yaw, pitch = (pose.yaw, pose.pitch) if pose else (None, None)
    return AlbumFace(
        face.box, face.landmarks, face.score, yaw=yaw, pitch=pitch, damage=face.damage, side=SIDE / face.enlarged
    )
