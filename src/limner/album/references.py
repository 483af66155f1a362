"""References from the album: who is in a photo, and which of their photographs each face is restored with."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import torch

from limner.album.choose import Choice, best_references
from limner.album.index import SAME_PLACE, overlap
from limner.album.people import find_person, people
from limner.album.recognise import COPY, Looks, Recognised
from limner.album.store import Album, AlbumPhoto
from limner.errors import LimnerError
from limner.faces.align import crop, similarity
from limner.faces.find import Face
from limner.faces.placing import Placing
from limner.faces.recogniser import SIDE, Recogniser
from limner.faces.references import FacePerson, PhotoReferences, Reference, References
from limner.faces.seen import SeenFace
from limner.photo.exif import taken_of
from limner.photo.photo import Photo
from limner.settings import Settings
from limner.weights.catalogue import sha256

SAME_PICTURE = 0.99
"""Correlation of two aligned faces, 32 px in grey, from which they are one exposure, however stored or damaged."""


@dataclass(frozen=True)
class _Known:
    """What is read of the album once for each of its revisions."""

    revision: str
    looks: Looks
    names: dict[int, str]


class AlbumReferences:
    """A `ReferenceSource`: each face gets the best photographs of its own person.

    Args:
        settings: of the run.
        size: side of the references' crops in pixels.
        device: where the recogniser runs.
        max_megapixels: larger photographs are passed over.
        path: of the album; None is `album_file()`.

    Raises:
        LimnerError: there is no album, another recogniser made it, or it doesn't know `settings.person`.
    """

    def __init__(
        self,
        settings: Settings,
        size: int,
        device: torch.device,
        max_megapixels: float = 100.0,
        path: Path | None = None,
    ):
        self.settings, self.size, self.device, self.max_megapixels = settings, size, device, max_megapixels
        self.path = path
        self._known: _Known | None = None
        with Album(path) as album:
            check_recogniser(album, self.recogniser)
            if settings.person:
                find_person(album, settings.person)

    @cached_property
    def recogniser(self) -> Recogniser:
        return Recogniser(self.device)

    def of_faces(self, photo: Photo, faces: Sequence[SeenFace], crops: Sequence[np.ndarray]) -> PhotoReferences:
        """As `ReferenceSource` says."""
        if not faces:
            return PhotoReferences([])
        small = [_resized(one) for one in crops]
        vectors = self.recogniser(small, [face.damage for face in faces])
        with Album(self.path) as album:
            known = self._read(album)
            itself = copies_of(album, photo.path)
            found = [known.looks.recognise(vector, itself) for vector in vectors]
            found = [_said(album, face, itself) or one for face, one in zip(faces, found, strict=True)]
            if self.settings.person:  # looked up anew: people are named and joined meanwhile
                person = find_person(album, self.settings.person)
                found = _with_person(found, person.id, known.looks, vectors, itself)
            told, each, notes = list[FacePerson](), list[References](), list[str]()
            for face, one, vector, picture in zip(faces, found, vectors, small, strict=True):
                chosen, references = [], list[Reference]()
                if one.verdict in ("said", "known") and one.person is not None:
                    chosen, references = self._chosen(album, photo, face, one.person, vector, picture, itself)
                name = None if one.person is None or one.verdict == "nobody" else known.names[one.person]
                because = tuple((str(choice.photo.path), choice.reason) for choice in chosen)
                told.append(FacePerson(face.number, one.verdict, name, round(one.likeness, 3), because))
                each.append(References(references, self.device))
                notes.append(note_on(told[-1], len(faces) > 1))
        return PhotoReferences(each, notes, people=told)

    def of_photo(self, photo: Photo, faces: Sequence[SeenFace], placing: Placing) -> PhotoReferences:
        """The same for faces of a photo that nobody has cut out yet.

        Args:
            photo, faces: see `of_faces`.
            placing: how they lie in it.
        """
        rgb = photo.srgb()
        return self.of_faces(photo, faces, [crop(rgb, placing.matrix(rgb, one, self.size), self.size) for one in faces])

    def recorded(self, path: Path | None) -> tuple[int | None, str | None]:
        """As `ReferenceSource` says: the album as it is."""
        with Album(self.path) as album:
            state = f"{album.path.resolve()} {album.revision} {self.settings.person or ''}"
            return None, hashlib.sha256(state.encode()).hexdigest()

    def _read(self, album: Album) -> _Known:
        """The album's vectors and names, read anew where it has changed."""
        known = self._known  # looked at once, for another thread may put its own there
        if known is None or known.revision != album.revision:
            names = {one.id: str(one) for one in people(album)}
            known = self._known = _Known(album.revision, Looks(album.vectors()), names)
        return known

    def _chosen(
        self,
        album: Album,
        photo: Photo,
        face: SeenFace,
        person: int,
        vector: np.ndarray,
        picture: np.ndarray,
        itself: Sequence[int],
    ) -> tuple[list[Choice], list[Reference]]:
        """The references of one face, as many as are asked for."""
        every, vectors = album.faces("person = ?", person), album.vectors("person = ?", person).vectors
        other = [n for n, one in enumerate(every) if one.photo not in itself and vectors[n] @ vector < COPY]
        candidates = [(every[n], album.photo(every[n].photo)) for n in other]
        taken = taken_of(photo.exif) if photo.exif else None
        chosen, references = list[Choice](), list[Reference]()
        for choice in best_references(face, taken, candidates, vectors[other], COPY):
            if len(references) == self.settings.references_per_face:
                break
            opened = _as_indexed(choice.photo, self.max_megapixels)
            if opened is None:  # the next best, then
                continue
            shown = crop(opened.srgb(), similarity(choice.face.landmarks, self.size), self.size)
            if correlation(shown, picture) < SAME_PICTURE:
                chosen.append(choice)
                references.append(Reference(str(choice.photo.path), shown, choice.photo.path))
        return chosen, references


def check_recogniser(album: Album, recogniser: Recogniser) -> None:
    """
    Raises:
        LimnerError: the album's vectors were made by another recogniser.
    """
    if album.about("recogniser") not in (None, recogniser.name):
        raise LimnerError(
            f"The album {album.path} was made with another recogniser: `limner album index` brings it up to date."
        )


def copies_of(album: Album, path: Path | None) -> list[int]:
    """Ids of a photograph in the album: of the file itself and of those with the same bytes."""
    if path is None or not Path(path).is_file():
        return []
    return [row[0] for row in album.ask("SELECT id FROM photos WHERE sha256 = ?", sha256(Path(path)))]


def _as_indexed(photo: AlbumPhoto, max_megapixels: float) -> Photo | None:
    """A photograph of the album; None if it was deleted, damaged or changed since."""
    try:
        stat = photo.path.stat()
        same = (stat.st_size, stat.st_mtime_ns) == (photo.size, photo.mtime_ns)
        return Photo.open(photo.path, max_megapixels) if same else None
    except (LimnerError, OSError):
        return None


def _said(album: Album, face: Face, itself: Sequence[int]) -> Recognised | None:
    """Who a face is, if the photograph is in the album and its user said so."""
    for photo in itself:
        for one in album.faces("photo = ? AND settled AND person NOTNULL", photo):
            if overlap(one.box, face.box) >= SAME_PLACE:
                return Recognised("said", one.person, 1.0)
    return None


def _with_person(
    found: Sequence[Recognised], person: int, looks: Looks, vectors: np.ndarray, itself: Sequence[int]
) -> list[Recognised]:
    """The face that is most like a person is that person, and no other is; what the album was told of a face stands."""
    if any(one.verdict == "said" and one.person == person for one in found):
        return list(found)
    place = int(np.searchsorted(looks.people, person))
    if place == len(looks.people) or looks.people[place] != person:
        return list(found)
    alike = [looks.likeness(one, looks.copies(looks.cosines(one), itself))[place] for one in vectors]
    free = [-1.0 if one.verdict == "said" else float(value) for one, value in zip(found, alike, strict=True)]
    best = int(np.argmax(free))
    if free[best] <= -1:  # nobody can be compared
        return list(found)
    named = [replace(one, verdict="nobody") if one.person == person else one for one in found]
    named[best] = Recognised("said", person, free[best])
    return named


def note_on(told: FacePerson, several: bool) -> str:
    """Who a face is, as a sentence.

    Args:
        told: of the face.
        several: whether the photo has others.
    """
    face = f"Face {told.face}" if several else "The face"
    if told.verdict == "nobody":
        return f"{face} is nobody whom the album knows, so there are no references for it."
    if told.verdict == "unsure":
        return (
            f"{face} may be {told.person} ({told.likeness:.2f} alike), which isn't sure enough for references: "
            "--person says who it is."
        )
    sure = "as you said" if told.verdict == "said" else f"{told.likeness:.2f} alike"
    if not told.references:
        return f"{face} is {told.person} ({sure}), of whom the album has no other photograph that can serve."
    which = "; ".join(f"{Path(path).name} ({reason})" for path, reason in told.references)
    return f"{face} is {told.person} ({sure}); the references are {which}."


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """How alike the pixels of two aligned crops, (S, S, 3) uint8, are, at 32 px in grey: -1 to 1."""
    small = [
        cv2.resize(crop, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32).mean(-1) for crop in (one, other)
    ]
    return float(np.corrcoef(small[0].ravel(), small[1].ravel())[0, 1])


def _resized(picture: np.ndarray) -> np.ndarray:
    """A crop as the recogniser takes it."""
    if len(picture) == SIDE:
        return picture
    way = cv2.INTER_AREA if len(picture) > SIDE else cv2.INTER_CUBIC
    return cv2.resize(picture, (SIDE, SIDE), interpolation=way)
