"""Many photographs: which files, where to, one after another, and what became of each."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from limner.errors import LimnerError
from limner.photo import SUFFIXES, Photo, write_atomically
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
    """The photographs among files and folders (searched to the bottom): (file, its place relative to the source).

    Results of an earlier run, in a folder `out` that lies inside a source, are no photographs to restore.

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
    """Where the results of a photograph go: its own name under `out`, numbered if there are several samples.

    `out` itself is the file if it bears the suffix of a picture and is no folder.
    """
    target = out if out.suffix.lower() in SUFFIXES and not out.is_dir() else out / place
    if samples == 1:
        return [target]
    return [target.with_stem(f"{target.stem}_{number}") for number in range(1, samples + 1)]


def restore_all(
    restorer: Restorer,
    photos: Sequence[tuple[Path, Path]],
    out: Path,
    *,
    overwrite: bool = False,
    max_megapixels: float = 100.0,
    quality: int | None = None,
    provenance: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Outcome]:
    """Restores one photograph after another; a file that fails is reported and the rest goes on.

    Files whose results are there already are passed over, so that an interrupted run goes on where it stopped.

    Args:
        restorer: with its settings.
        photos: from `photos_in`.
        out: a folder, or for a single photograph a file.
        overwrite: whether results that are there already are made anew.
        max_megapixels, quality: see `restorer.restore`.
        provenance: whether results say how they were made.
        progress: see `Restorer.restore`.

    Raises:
        LimnerError: if several photographs should go into one file.
    """
    claimed: dict[Path, Path] = {}
    plan = [(source, outputs_for(place, out, restorer.settings.samples)) for source, place in photos]
    for source, outputs in plan:
        if (other := claimed.setdefault(outputs[0].resolve(), source)) is not source:
            raise LimnerError(f"{other} and {source} would both become {outputs[0]}: give a folder for each.")
    for source, outputs in plan:
        outcome = Outcome(source, outputs)
        try:
            if overwrite or not all(path.exists() for path in outputs):
                photo = Photo.open(source, max_megapixels)
                outcome.restoration = restorer.restore(photo, progress)
                for path, restored in zip(outputs, outcome.restoration.photos, strict=True):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    if outcome.restoration.faces or restorer.settings.upscale > 1 or _converts(source, path):
                        restored.save(
                            path,
                            quality=quality,
                            provenance=outcome.restoration.provenance if provenance else None,
                        )
                    else:
                        _copy(source, path)
        except LimnerError as error:
            outcome.error = str(error)
        except OSError as error:
            outcome.error = f"{error.filename or source} can't be written: {error.strerror or error}."
        yield outcome


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
