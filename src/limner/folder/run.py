"""One photograph after another, and what became of each."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from limner.errors import Cancelled, LimnerError, unexpected
from limner.folder.earlier import Kept, alters, kept
from limner.folder.pictures import SidePictures
from limner.folder.targets import Target
from limner.holes.mask import MaskFiles
from limner.methods import METHODS, find_method
from limner.photo.photo import Photo
from limner.photo.read import check_limit
from limner.photo.writable import check_quality, check_writable
from limner.photo.write import sweep, write_atomically
from limner.restoration import Restoration
from limner.restorer import Restorer

log = logging.getLogger(__name__)


@dataclass
class Outcome:
    """What became of one file.

    Attributes:
        source: the photograph.
        outputs: the files for it, one a sample.
        restoration: how it was restored; None where it failed or was there already.
        kept: why a result that was there already stays, or None.
        error: one sentence, or None.
        expected: whether the error is one that the user can put right.
    """

    source: Path
    outputs: Sequence[Path] = field(default_factory=list)
    restoration: Restoration | None = None
    kept: Kept | None = None
    error: str | None = None
    expected: bool = True


@dataclass(frozen=True)
class Saving:
    """What is read and written of the photographs of a run.

    Attributes:
        overwrite: whether results that are there already are made anew.
        max_megapixels, quality: see `restorer.restore`.
        provenance: whether results say how they were made.
        beside: pictures beside the results.
        keep_time: whether results bear their photographs' times.
        masks: where the masks of photographs with holes lie; None where none has any.

    Raises:
        PhotoError: if a number lies outside its range.
    """

    overwrite: bool = False
    max_megapixels: float = 100.0
    quality: int | None = None
    provenance: bool = True
    beside: SidePictures = field(default_factory=SidePictures)
    keep_time: bool = False
    masks: MaskFiles | None = None

    def __post_init__(self) -> None:
        check_limit(self.max_megapixels)
        check_quality(self.quality)


def check_intermediate(method: str, beside: SidePictures) -> None:
    """
    Raises:
        LimnerError: if pictures on the way are asked of a method that makes none.
    """
    if beside.intermediate and not find_method(method).on_the_way:
        able = " or ".join(name for name, one in METHODS.items() if one.info.on_the_way)
        raise LimnerError(
            f"The method '{method}' makes no picture before its result: choose {able}, or leave out "
            "--save-intermediate."
        )


def restore_all(
    restorer: Restorer,
    targets: Iterable[Target],
    saving: Saving | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Outcome]:
    """Restores one photograph after another; a file that fails is reported and the rest goes on, whatever happened.

    Results that are there already and are what this run would make are passed over, so that an interrupted run goes on
    where it stopped.

    Args:
        restorer: with its settings.
        targets: from `targets_of`; drawn one after another.
        saving: what is written.
        progress: see `Restorer.restore`.

    Raises:
        LimnerError: if the method makes nothing before the result and that is wanted.
        Cancelled: if `progress` does; the photographs before this one are written.
    """
    saving = saving or Saving()
    check_intermediate(restorer.settings.method, saving.beside)
    swept = set[Path]()
    for target in targets:
        for folder in {output.parent for output in target.outputs} - swept:
            sweep(folder)
            swept.add(folder)
        outcome = Outcome(target.source.path, target.outputs)
        try:
            outcome.kept = None if saving.overwrite else _kept(restorer, target, saving)
            if not outcome.kept:
                outcome.restoration = _restored(restorer, target, saving, progress)
        except Cancelled:  # not one photo's misfortune: the end of the run
            raise
        except LimnerError as error:
            outcome.error = _naming(outcome.source, str(error))
        except OSError as error:
            outcome.error = f"{error.filename or outcome.source} can't be read or written: {error.strerror or error}."
        except Exception as error:  # one photo's misfortune ends no album
            log.debug("%s", outcome.source, exc_info=error)
            outcome.expected = False
            outcome.error = f"{outcome.source} can't be restored: {unexpected(error)}"
        yield outcome


def _kept(restorer: Restorer, target: Target, saving: Saving) -> Kept | None:
    """As `kept`; but a result without the pictures that are wanted beside it is made anew."""
    mask = saving.masks.of(target.source.place) if saving.masks else None
    found = kept(target.outputs, target.source.path, restorer, saving.quality, mask)
    faces = found.provenance.faces if found and found.provenance else 0
    return None if faces and not saving.beside.there(target.source.place) else found


def _restored(
    restorer: Restorer, target: Target, saving: Saving, progress: Callable[[int, int], None] | None
) -> Restoration:
    """Restores one photograph and writes all of its results."""
    source = target.source.path
    photo = Photo.open(source, saving.max_megapixels)
    for path in target.outputs:
        check_writable(photo, path, saving.quality, restorer.settings.upscale)
    mask = saving.masks.of(target.source.place) if saving.masks else None
    restoration = restorer.restore(photo, progress, mask)
    for path, restored in zip(target.outputs, restoration.photos, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        if restoration.provenance or alters(restorer, source, path):
            provenance = restoration.provenance if saving.provenance else None
            provenance = provenance and replace(provenance, quality=saving.quality)
            notes = restored.save(path, quality=saving.quality, provenance=provenance)
            restoration.notes += [note for note in notes if note not in restoration.notes]
        else:
            write_atomically(path, source.read_bytes())  # without a face: passed on byte for byte
            shutil.copystat(source, path)
        if saving.keep_time:
            times = source.stat()
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    saving.beside.save(photo, restoration, target.source.place)
    return restoration


def _naming(source: Path, sentence: str) -> str:
    """The sentence with the photograph's name, which not every part of the way knows."""
    return sentence if str(source) in sentence else f"{source}: {sentence}"
