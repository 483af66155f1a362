"""Taking photographs into the album: new and changed ones are looked at, moved ones known by their bytes, deleted ones
taken out.

Photograph by photograph is committed, so that a run that is interrupted, or killed, goes on where it stopped.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from limner.album.store import Album, AlbumFace, AlbumPhoto
from limner.errors import LimnerError, unexpected
from limner.faces.align import crop, similarity
from limner.faces.find import Face
from limner.faces.placing import Placing
from limner.faces.recogniser import SIDE, Recogniser
from limner.faces.seen import seen
from limner.photo.exif import taken_of
from limner.photo.photo import Photo
from limner.weights.catalogue import sha256

log = logging.getLogger(__name__)

SAME_PLACE = 0.5
"""Share of two boxes' union that both cover, from which a face of a changed photograph may be one that was there,"""
SAME_FACE = 0.6
"""and their cosine from which it is."""

Progress = Callable[[str, int, int], None]


@dataclass
class Indexed:
    """What a run did, as counts of photographs.

    Attributes:
        known: were as the album knew them, and weren't looked at.
        added, changed: were looked at: new ones, and those with other bytes than before.
        moved: lie elsewhere than before.
        copied: have the bytes of another one, whose faces they got.
        removed: are gone.
        faces: found in those that were looked at.
        failed: couldn't be read, one sentence each.
    """

    known: int = 0
    added: int = 0
    changed: int = 0
    moved: int = 0
    copied: int = 0
    removed: int = 0
    faces: int = 0
    failed: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        counts = {
            "new": self.added,
            "changed": self.changed,
            "moved": self.moved,
            "copies": self.copied,
            "gone": self.removed,
            "as before": self.known,
        }
        told = ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "no photograph"
        return f"Photographs: {told}. {self.faces} faces were found in those that were looked at."


class Indexer:
    """Takes photographs into an album.

    Args:
        album: open.
        recogniser: that makes the vectors. Photographs that another one has looked at are looked at anew.
        placing: how faces lie in photographs.
        max_megapixels: larger photographs are passed over.
    """

    def __init__(self, album: Album, recogniser: Recogniser, placing: Placing, max_megapixels: float = 100.0):
        self.album, self.recogniser, self.placing, self.max_megapixels = album, recogniser, placing, max_megapixels

    def run(self, photos: Sequence[Path], folders: Sequence[Path] = (), progress: Progress | None = None) -> Indexed:
        """Brings the album up to date.

        Args:
            photos: that are to be in the album.
            folders: that were searched for them: what the album has from there and isn't among `photos` was deleted or
                moved.
            progress: called with (the photograph's name, done, of how many).

        Raises:
            LimnerError: the album can't be written.
        """
        done, wanted = Indexed(), dict.fromkeys(one.resolve() for one in photos)
        if self.album.about("recogniser") != self.recogniser.name:
            self._begin_anew()
        there = {one.path: one for one in self.album.photos()}
        lost = {path: one for path, one in there.items() if path not in wanted and not path.is_file()}
        for number, path in enumerate(wanted):
            if progress:
                progress(path.name, number, len(wanted))
            try:
                self._take(path, there.get(path), lost, done)
            except OSError as error:
                done.failed.append(f"{path} can't be read: {error.strerror or error}.")
        roots = [folder.resolve() for folder in folders]
        gone = [one.id for path, one in lost.items() if any(path.is_relative_to(root) for root in roots)]
        if gone:
            self.album.remove(gone)
        done.removed = len(gone)
        return done

    def _begin_anew(self) -> None:
        """Vectors of another recogniser mean nothing to this one: they are blank until their photographs, which count
        as changed, are looked at, and what their user said of the faces stays."""
        with self.album.change() as rows:
            rows.execute("UPDATE faces SET vector = zeroblob(?)", (2 * self.recogniser.width,))
            rows.execute("UPDATE photos SET size = -1, sha256 = ''")
            rows.execute("INSERT OR REPLACE INTO about VALUES ('recogniser', ?)", (self.recogniser.name,))

    def _take(self, path: Path, before: AlbumPhoto | None, lost: dict[Path, AlbumPhoto], done: Indexed) -> None:
        """One photograph."""
        stat = path.stat()
        well = before and not before.problem  # what failed is tried again: a limit was raised, memory is free
        if before and well and (before.size, before.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
            done.known += 1
            return
        now = AlbumPhoto(path, stat.st_size, stat.st_mtime_ns, sha256(path))
        if before and well and before.sha256 == now.sha256:
            self.album.moved(before.id, now)
            done.known += 1
        elif old := next((one for one in lost.values() if one.sha256 == now.sha256 and not before), None):
            self.album.moved(old.id, now)
            del lost[old.path]
            done.moved += 1
        elif twin := self._twin(now):
            faces = self.album.faces("photo = ?", twin.id)
            self.album.put(replace(twin, **_file_of(now)), faces, self.album.vectors("photo = ?", twin.id).vectors)
            done.copied += 1
        else:
            self._look(now, before, done)

    def _twin(self, photo: AlbumPhoto) -> AlbumPhoto | None:
        found = self.album.ask(
            "SELECT id FROM photos WHERE sha256 = ? AND path != ?", photo.sha256, os.fsencode(photo.path)
        )
        return self.album.photo(found[0][0]) if found else None

    def _look(self, now: AlbumPhoto, before: AlbumPhoto | None, done: Indexed) -> None:
        """Finds the faces of a photograph and embeds them."""
        faces, vectors = list[AlbumFace](), np.zeros((0, self.recogniser.width), np.float32)
        try:
            photo = Photo.open(now.path, self.max_megapixels)
            rgb = photo.srgb()
            height, width = rgb.shape[:2]
            now = replace(now, width=width, height=height, taken=taken_of(photo.exif) if photo.exif else None)
            faces = [_face_of(rgb, face, self.placing) for face in self.placing.find(rgb)]
            vectors = self.recogniser(
                [crop(rgb, similarity(one.landmarks, SIDE), SIDE) for one in faces], [one.damage for one in faces]
            )
        except LimnerError as error:
            now = replace(now, problem=str(error))
        except Exception as error:  # one photo's misfortune ends no album
            log.debug("%s", now.path, exc_info=error)
            now = replace(now, problem=f"{now.path} can't be looked at: {unexpected(error)}.")
        if before:
            faces = self._remembered(faces, vectors, before)
        self.album.put(now, faces, vectors)
        done.failed += [now.problem] if now.problem else []
        done.faces += len(faces)
        done.changed += before is not None
        done.added += before is None

    def _remembered(self, faces: Sequence[AlbumFace], vectors: np.ndarray, before: AlbumPhoto) -> list[AlbumFace]:
        """Faces of a changed photograph: what its user said is remembered of those that lie where one lay before and
        look like it."""
        earlier, looked = self.album.faces("photo = ?", before.id), self.album.vectors("photo = ?", before.id).vectors
        known = []
        for face, vector in zip(faces, vectors, strict=True):
            shares = [overlap(face.box, one.box) for one in earlier]
            nearest = int(np.argmax(shares)) if shares else 0
            same = bool(shares) and shares[nearest] >= SAME_PLACE
            if same and before.sha256:  # else the vectors are another recogniser's
                same = float(looked[nearest] @ vector) >= SAME_FACE
            if same and earlier[nearest].settled:
                face = replace(face, person=earlier[nearest].person, settled=True)
            known.append(face)
        return known


def _file_of(photo: AlbumPhoto) -> dict[str, object]:
    return {"path": photo.path, "size": photo.size, "mtime_ns": photo.mtime_ns}


def _face_of(rgb: np.ndarray, found: Face, placing: Placing) -> AlbumFace:
    """A found face with what the album keeps of it."""
    face = seen(rgb, found, placing, SIDE)
    pose = face.pose if face.pose and face.pose.sure else None
    yaw, pitch = (pose.yaw, pose.pitch) if pose else (None, None)
    return AlbumFace(
        face.box, face.landmarks, face.score, yaw=yaw, pitch=pitch, damage=face.damage, side=SIDE / face.enlarged
    )


def overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """The share of the union of two boxes, x0, y0, x1, y1, that both cover, 0 to 1."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    both = max(across, 0) * max(down, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return both / max(sum(areas) - both, 1e-9)
