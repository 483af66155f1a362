"""Many photographs: which files, where to, one after another, and what became of each."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from limner.errors import LimnerError
from limner.methods import METHODS, find_method
from limner.photo.contents import SUFFIXES
from limner.photo.photo import Photo
from limner.photo.write import save_png, write_atomically
from limner.pixels import without_colour
from limner.restorer import Restoration, Restorer


@dataclass
class Outcome:
    """What became of one file.

    Attributes:
        source: the photograph.
        outputs: the files for it, one a sample.
        restoration: how it was restored; None where it failed or was there already.
        error: one sentence, or None.
    """

    source: Path
    outputs: list[Path] = field(default_factory=list)
    restoration: Restoration | None = None
    error: str | None = None


def photos_in(sources: Sequence[Path], out: Path) -> list[tuple[Path, Path]]:
    """Finds the photographs among files and folders; folders are searched to the bottom.

    Args:
        sources: files and folders.
        out: where results go. Lies it inside a source, what it holds are results of an earlier run and no photographs.

    Returns:
        Of each photograph its file, and its place relative to the source.

    Raises:
        LimnerError: if a source doesn't exist or a folder holds no photograph.
    """
    found: list[tuple[Path, Path]] = []
    for source in sources:
        if source.is_dir():
            inside = sorted(p for p in source.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
            if out.resolve() != source.resolve():
                inside = [p for p in inside if not p.resolve().is_relative_to(out.resolve())]
            if not inside:
                raise LimnerError(f"The folder {source} holds no photograph ({', '.join(sorted(SUFFIXES))}).")
            found += [(path, path.relative_to(source)) for path in inside]
        elif source.exists():
            found.append((source, Path(source.name)))
        else:
            raise LimnerError(f"There is no file or folder {source}: check the path.")
    return found


def outputs_for(place: Path, out: Path, samples: int) -> list[Path]:
    """Where the results of one photograph go.

    Args:
        place: of the photograph, relative to its source.
        out: a folder, or the file itself if it bears the suffix of a picture and is no folder.
        samples: how many results there are; several are numbered from 1, `NAME_1.png`.

    Returns:
        The files, one for each sample.
    """
    target = out if out.suffix.lower() in SUFFIXES and not out.is_dir() else out / place
    if samples == 1:
        return [target]
    return [target.with_stem(f"{target.stem}_{number}") for number in range(1, samples + 1)]


@dataclass(frozen=True)
class Saving:
    """What is read and written of the photographs of a run.

    Attributes:
        overwrite: whether results that are there already are made anew.
        max_megapixels, quality: see `restorer.restore`.
        provenance: whether results say how they were made.
        intermediate: a folder for the aligned crops that the method makes before the result; None keeps none.
        maps: a folder for pictures of what was made up, see `invented_picture`; None keeps none.
    """

    overwrite: bool = False
    max_megapixels: float = 100.0
    quality: int | None = None
    provenance: bool = True
    intermediate: Path | None = None
    maps: Path | None = None


def restore_all(
    restorer: Restorer,
    photos: Sequence[tuple[Path, Path]],
    out: Path,
    saving: Saving | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Outcome]:
    """Restores one photograph after another; a file that fails is reported and the rest goes on.

    Files whose results are there already are passed over, so that an interrupted run goes on where it stopped.

    Args:
        restorer: with its settings.
        photos: from `photos_in`.
        out: a folder, or for a single photograph a file.
        saving: what is written.
        progress: see `Restorer.restore`.

    Raises:
        LimnerError: if several photographs should go into one file, or the method makes nothing before the result.
    """
    saving = saving or Saving()
    if saving.intermediate and not find_method(restorer.settings.method).on_the_way:
        able = " or ".join(name for name, one in METHODS.items() if one.info.on_the_way)
        raise LimnerError(
            f"The method '{restorer.settings.method}' makes no picture before its result: choose {able}, or leave out "
            "--save-intermediate."
        )
    claimed: dict[Path, Path] = {}
    plan = [(source, place, outputs_for(place, out, restorer.settings.samples)) for source, place in photos]
    for source, _, outputs in plan:
        if (other := claimed.setdefault(outputs[0].resolve(), source)) is not source:
            raise LimnerError(f"{other} and {source} would both become {outputs[0]}: give a folder for each.")
    for source, place, outputs in plan:
        outcome = Outcome(source, outputs)
        try:
            if saving.overwrite or not all(path.exists() for path in outputs):
                outcome.restoration = restorer.restore(Photo.open(source, saving.max_megapixels), progress)
                _save(outcome, outcome.restoration, restorer.settings.upscale > 1, place, saving)
        except LimnerError as error:
            outcome.error = str(error)
        except OSError as error:
            outcome.error = f"{error.filename or source} can't be written: {error.strerror or error}."
        yield outcome


def _save(outcome: Outcome, restoration: Restoration, enlarged: bool, place: Path, saving: Saving) -> None:
    """Writes all results of one photograph."""
    for path, restored in zip(outcome.outputs, restoration.photos, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        if restoration.provenance or enlarged or _converts(outcome.source, path):
            provenance = restoration.provenance if saving.provenance else None
            notes = restored.save(path, quality=saving.quality, provenance=provenance)
            restoration.notes += [note for note in notes if note not in restoration.notes]
        else:
            _copy(outcome.source, path)
    if saving.intermediate:
        _save_intermediate(restoration, saving.intermediate / place.with_suffix(""))
    if saving.maps and restoration.faces:
        (saving.maps / place).parent.mkdir(parents=True, exist_ok=True)
        save_png(saving.maps / f"{place}_invented.png", invented_picture(restoration))


def invented_picture(restoration: Restoration) -> np.ndarray:
    """Draws what was made up: the restored photo in grey, the redder the more of what is seen is made up.

    Args:
        restoration: of the photo.

    Returns:
        (H, W, 3) uint8, of the size of the restored photo.
    """
    picture = without_colour(restoration.photos[0].srgb())
    faces = restoration.invented > 0
    share = 0.6 * restoration.invented[faces][:, None].astype(np.float32) / 255
    picture[faces] = np.rint(picture[faces] + share * (np.array([255, 40, 40], np.float32) - picture[faces]))
    return picture


def _save_intermediate(restoration: Restoration, start: Path) -> None:
    """Writes `START_faceN_NAME.png` for every picture on the way of every face."""
    start.parent.mkdir(parents=True, exist_ok=True)
    for number, face in enumerate(restoration.crops):
        for name, picture in face.on_the_way.items():
            save_png(start.with_name(f"{start.name}_face{number}_{name}.png"), np.rint(255 * picture).astype(np.uint8))


def _converts(source: Path, target: Path) -> bool:
    """Whether the target's suffix asks for another format than the photo has."""
    formats = [SUFFIXES.get(path.suffix.lower()) for path in (source, target)]
    return formats[0] is None or formats[0] != formats[1]


def _copy(source: Path, target: Path) -> None:
    """A photo without a face is passed on byte for byte."""
    if target.exists() and source.samefile(target):
        raise LimnerError(f"{target} is the photo itself: choose another folder with --output.")
    write_atomically(target, source.read_bytes())
    shutil.copystat(source, target)
