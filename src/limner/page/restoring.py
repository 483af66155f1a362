"""What the queue's worker does with one photograph: looks for its faces, restores it, takes another sample of a
face."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import floor
from pathlib import Path

from limner.errors import LimnerError
from limner.faces.chosen import Chosen, faces_to_restore
from limner.faces.damage import SIDE
from limner.faces.placing import placing_of
from limner.holes.fill import Filled
from limner.page.work import Job
from limner.photo.contents import SUFFIXES, suffix_of, with_tail
from limner.photo.photo import Photo
from limner.photo.provenance import Provenance
from limner.photo.read import opened_container
from limner.restoration import Restoration
from limner.restorer import Restorer
from limner.settings import Settings


class TooLarge(LimnerError):
    """More than the page takes."""


@dataclass(frozen=True)
class Limits:
    """How much of everything is taken from whoever uses the page.

    Attributes:
        megapixels: of a photo.
        megabytes: of its file; over HTTP of all files of a request.
        references: photographs of a person.
        samples: results for a face.
        photos: that one window of the browser may hold.
    """

    megapixels: float = 60.0
    megabytes: float = 200.0
    references: int = 20
    samples: int = 8
    photos: int = 200


class Restorers:
    """Loads a restorer and keeps it until another is asked for: photographs of one run differ in their faces alone.
    For the worker's thread; only `forget` may be called from others.

    Args:
        limits: whose megapixels hold for references too.
    """

    def __init__(self, limits: Limits):
        self.limits = limits
        self._kept: Restorer | None = None

    def of(self, settings: Settings) -> Restorer:
        """The restorer with these settings.

        Raises:
            LimnerError: what `Restorer` raises.
        """
        kept = self._kept
        if kept is None or replace(kept.settings, faces=settings.faces) != settings:
            self._kept = kept = None  # two would take twice the memory
            self._kept = kept = Restorer(settings, self.limits.megapixels)
        kept.settings = settings
        return kept

    def forget(self) -> None:
        """Keeps none: its references may be somebody's who has left."""
        self._kept = None


def opened(path: Path, limits: Limits) -> Photo:
    """Reads a photograph.

    Raises:
        TooLarge: it has too many pixels.
        PhotoError: what `Photo.open` raises.
    """
    width, height = opened_container(path, limits.megapixels).size
    if width * height > limits.megapixels * 1e6:
        raise TooLarge(
            f"{path.name} has {width * height / 1e6:.0f} megapixels, and {limits.megapixels:g} are the most that are "
            "taken here: make it smaller, or start limner ui with a larger --max-megapixels."
        )
    return Photo.open(path, limits.megapixels)


def look_at(job: Job, path: Path, settings: Settings, limits: Limits) -> tuple[Photo, Chosen]:
    """A photograph and its faces.

    Raises:
        LimnerError: it can't be read, is too large, or has no such faces.
    """
    job.tell(f"{path.name}: looking for faces")
    photo = opened(path, limits)
    return photo, faces_to_restore(photo.srgb(), placing_of(settings), settings, SIDE)


def fill(job: Job, path: Path, holes: Path, settings: Settings, restorers: Restorers) -> tuple[Photo, Filled]:
    """A photograph, and the same without its holes. Every face is filled as one, whichever are to be restored.

    Args:
        job: is told what is done.
        path: of the photograph.
        holes: the file of a mask of its holes.
        settings: how it will be restored.
        restorers: lend a restorer.

    Raises:
        LimnerError: it can't be read, is too large, the mask doesn't fit, or a setting can't be met.
    """
    job.tell(f"{path.name}: getting ready")
    photo = opened(path, restorers.limits)
    restorer = restorers.of(replace(settings, faces="all"))
    job.tell(f"{path.name}: filling what is marked")
    filled = restorer.fill(photo, holes)
    assert filled
    return photo, filled


def restore(
    job: Job,
    path: Path,
    settings: Settings,
    restorers: Restorers,
    faces: int | None = None,
    holes: Path | Filled | None = None,
) -> tuple[Photo, Restoration]:
    """A photograph and what became of it.

    Args:
        job: is told of every net evaluation.
        path: of the photograph.
        settings: how to restore.
        restorers: lend one.
        faces: how many will be restored; None where nobody knows.
        holes: the file of a mask of its holes, or what `fill` gave; None where it has none.

    Raises:
        LimnerError: it can't be read, is too large, or a setting can't be met.
    """
    job.tell(f"{path.name}: opening")
    photo = opened(path, restorers.limits)
    job.tell(f"{path.name}: getting ready")
    restorer = restorers.of(settings)
    at_once = restorer.at_once.faces
    job.tell(f"{path.name}: looking for faces")

    def progress(done: int, total: int) -> None:
        if done == total:
            job.tell(f"{path.name}: putting the faces back", 1)
        else:
            job.tell(f"{path.name}: {in_work(done / total, faces, settings.samples, at_once)}", done / total)

    return photo, restorer.restore(photo, progress, holes)


def in_work(share: float, faces: int | None, samples: int, at_once: int) -> str:
    """Which faces of a photograph the nets are at.

    Args:
        share: of the net evaluations that is done, 0 to 1.
        faces: of the photograph; None where nobody knows.
        samples: results for each.
        at_once: results that go through the nets together.
    """
    if not faces:
        return f"{share:.0%} of its faces"
    results = faces * samples
    first = floor(share * results / at_once + 1e-9) * at_once
    last = min(first + at_once, results) - 1
    first, last = min(first, last) // samples + 1, last // samples + 1
    return f"face {first} of {faces}" if first == last else f"faces {first} to {last} of {faces}"


def with_picks(
    restorer: Restorer, photo: Photo, done: Restoration, picks: Sequence[int], holes: Filled | None = None
) -> Restoration:
    """The restoration with one sample of each face.

    Args:
        restorer: that made it.
        photo: as it was.
        done: its restoration.
        picks: of each of its faces the sample that is wanted.
        holes: what `fill` gave; None where nothing was filled.
    """
    photo = holes.photo if holes else photo
    back = restorer.put_back(photo, photo.srgb(), done.faces, done.aligned, done.crops, picks=picks, holes=holes)
    references = done.provenance.references if done.provenance else 0
    recorded = holes and holes.recorded
    provenance = restorer.provenance(photo.path, len(done.faces), back.share_invented, references, recorded)
    picture = back.photo.replaced(back.canvases[0])
    return replace(done, photos=[picture], provenance=provenance, invented=back.invented)


def save(photo: Photo, provenance: Provenance | None, source: Path, folder: Path) -> tuple[Path, tuple[str, ...]]:
    """Writes a restored photograph in the format of its source.

    Args:
        photo: the result.
        provenance: what it says about itself.
        source: the photograph's file.
        folder: where it goes.

    Returns:
        Its file, and what the format had no room for.
    """
    named = with_tail(Path(source.name), "_restored")
    if SUFFIXES.get(suffix_of(named)) != photo.format:
        named = named.with_name(named.name + next(end for end, format in SUFFIXES.items() if format == photo.format))
    folder.mkdir(exist_ok=True)  # not its parents: of a session that has ended nothing comes back
    return folder / named.name, photo.save(folder / named.name, provenance=provenance)


def without_folder(sentence: str, folder: Path) -> str:
    """A sentence in which photographs bear their own names, not those of the folders in which they lie here."""
    return re.sub(rf"{re.escape(str(folder))}[/\\](?:\w+[/\\])*", "", sentence)
