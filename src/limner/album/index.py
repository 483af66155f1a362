"""Taking photographs into the album: new and changed ones are looked at, moved ones known by their bytes, deleted ones
taken out.

Photograph by photograph is committed, so that a run that is interrupted, or killed, goes on where it stopped.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from limner.album.look import Ahead, Look, Looker
from limner.album.store import Album, AlbumFace, AlbumPhoto
from limner.faces.placing import Placing
from limner.faces.recogniser import Recogniser
from limner.weights.catalogue import sha256

SAME_PLACE = 0.5
"""Share of two boxes' union that both cover, from which a face of a changed photograph may be one that was there,"""
SAME_FACE = 0.6
"""and their cosine from which it is."""

Progress = Callable[[str, int, int], None]
Looks = Callable[[Iterable[tuple[int, Path]]], Generator[tuple[int, Look]]]
"""Others that look: from photographs, with their places among all of a run, to what they saw, in the same order."""


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
        self.album, self.recogniser = album, recogniser
        self.look = Looker(recogniser, placing, max_megapixels)

    def run(
        self,
        photos: Sequence[Path],
        folders: Sequence[Path] = (),
        progress: Progress | None = None,
        elsewhere: Looks | None = None,
    ) -> Indexed:
        """Brings the album up to date.

        Args:
            photos: that are to be in the album.
            folders: that were searched for them: what the album has from there and isn't among `photos` was deleted or
                moved.
            progress: called with (the photograph's name, done, of how many).
            elsewhere: others that look at photographs in this one's place.

        Raises:
            LimnerError: the album can't be written; and what the others raise.
        """
        done, wanted = Indexed(), dict.fromkeys(one.resolve() for one in photos)
        if self.album.about("recogniser") != self.recogniser.name:
            self._begin_anew()
        there = {one.path: one for one in self.album.photos()}
        lost = {path: one for path, one in there.items() if path not in wanted and not path.is_file()}
        new = self._new(wanted, there, {one.sha256 for one in lost.values()})
        with closing(elsewhere(new) if elsewhere else _nothing()) as looks:
            ahead = Ahead(looks)
            for number, path in enumerate(wanted):
                if progress:
                    progress(path.name, number, len(wanted))
                try:
                    self._take(path, there.get(path), lost, done, lambda n=number, p=path: ahead.of(n) or self.look(p))
                except OSError as error:
                    done.failed.append(f"{path} can't be read: {error.strerror or error}.")
        roots = [folder.resolve() for folder in folders]
        gone = [one.id for path, one in lost.items() if any(path.is_relative_to(root) for root in roots)]
        if gone:
            self.album.remove(gone)
        done.removed = len(gone)
        return done

    def _new(
        self, wanted: Iterable[Path], there: Mapping[Path, AlbumPhoto], lost: AbstractSet[str]
    ) -> Iterator[tuple[int, Path]]:
        """Photographs that will be looked at, as far as can be told before it is their turn, and their places."""
        seen = set[str]()
        for number, path in enumerate(wanted):
            before = there.get(path)
            try:
                if _as_before(path.stat(), before):
                    continue
                digest = sha256(path)
            except OSError:  # told when it is its turn
                continue
            same = before is not None and not before.problem and before.sha256 == digest
            twin = self.album.ask("SELECT id FROM photos WHERE sha256 = ? AND path != ?", digest, os.fsencode(path))
            if not (same or twin or digest in seen or (before is None and digest in lost)):
                seen.add(digest)
                yield number, path

    def _begin_anew(self) -> None:
        """Vectors of another recogniser mean nothing to this one: they are blank until their photographs, which count
        as changed, are looked at, and what their user said of the faces stays."""
        with self.album.change() as rows:
            rows.execute("UPDATE faces SET vector = zeroblob(?)", (2 * self.recogniser.width,))
            rows.execute("UPDATE photos SET size = -1, sha256 = ''")
            rows.execute("INSERT OR REPLACE INTO about VALUES ('recogniser', ?)", (self.recogniser.name,))

    def _take(
        self,
        path: Path,
        before: AlbumPhoto | None,
        lost: dict[Path, AlbumPhoto],
        done: Indexed,
        look: Callable[[], Look],
    ) -> None:
        """One photograph."""
        stat = path.stat()
        if _as_before(stat, before):
            done.known += 1
            return
        well = before and not before.problem
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
            self._add(now, before, look(), done)

    def _twin(self, photo: AlbumPhoto) -> AlbumPhoto | None:
        found = self.album.ask(
            "SELECT id FROM photos WHERE sha256 = ? AND path != ?", photo.sha256, os.fsencode(photo.path)
        )
        return self.album.photo(found[0][0]) if found else None

    def _add(self, now: AlbumPhoto, before: AlbumPhoto | None, looked: Look, done: Indexed) -> None:
        """Takes in a photograph that was looked at."""
        about = {name: getattr(looked, name) for name in ("width", "height", "taken", "problem")}
        now = replace(now, **about)
        faces = self._remembered(looked.faces, looked.vectors, before) if before else looked.faces
        self.album.put(now, faces, looked.vectors)
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


def _as_before(stat: os.stat_result, before: AlbumPhoto | None) -> bool:
    """Whether a file is as the album knows it, by size and time. What failed is tried again: a limit was raised, memory
    is free."""
    return (
        before is not None and not before.problem and (before.size, before.mtime_ns) == (stat.st_size, stat.st_mtime_ns)
    )


def _nothing() -> Generator[tuple[int, Look]]:
    """Nobody looks elsewhere."""
    yield from ()


def _file_of(photo: AlbumPhoto) -> dict[str, object]:
    return {"path": photo.path, "size": photo.size, "mtime_ns": photo.mtime_ns}


def overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """The share of the union of two boxes, x0, y0, x1, y1, that both cover, 0 to 1."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    both = max(across, 0) * max(down, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return both / max(sum(areas) - both, 1e-9)
