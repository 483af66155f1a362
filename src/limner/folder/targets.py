"""Where the results of a run go, and what can't be, told before any net runs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from limner.errors import LimnerError, PhotoError
from limner.folder.find import FoundPhotos, Resolver, Source
from limner.photo.contents import SUFFIXES, suffix_of, with_tail
from limner.photo.read import opened_container
from limner.photo.writable import check_suffix, same_file


@dataclass(frozen=True, slots=True)
class Target:
    """Where one photograph's results go.

    Attributes:
        source: the photograph.
        outputs: the files for it, one a sample.
    """

    source: Source
    outputs: tuple[Path, ...]


def outputs_for(place: Path, out: Path, samples: int = 1, suffix: str = "") -> tuple[Path, ...]:
    """Where the results of a photograph go: its own name under `out`, numbered if there are several samples.

    Args:
        place: the photograph's path relative to its source.
        out: a folder; a file if it bears the suffix of a picture and is no folder.
        samples: how many results.
        suffix: what is put behind a photograph's name, such as `_restored`; never behind that of a file `out`.
    """
    target = out if is_file_name(out) else out / with_tail(place, suffix)
    if samples == 1:
        return (target,)
    return tuple(with_tail(target, f"_{number}") for number in range(1, samples + 1))


def is_file_name(out: Path) -> bool:
    """Whether an output is the file of a single photograph."""
    return suffix_of(out) in SUFFIXES and not out.is_dir()


def targets_of(
    found: FoundPhotos, out: Path, samples: int = 1, suffix: str = "", masks: Iterable[Path] = ()
) -> list[Target]:
    """Where the results of all photographs go.

    Args:
        found: the photographs. Those that an earlier run with the same suffix put beside another are passed over, which
            is added to what is told.
        out, samples, suffix: see `outputs_for`.
        masks: files that the run reads beside the photographs.

    Raises:
        LimnerError: if a result can't be written, would replace a photograph or mask of the run, or would be another's
            too.
        PhotoError: if it can't be written under the photograph's name because that is no photograph.
    """
    _check_folder(out)
    resolved = Resolver()
    targets = [Target(one, outputs_for(one.place, out, samples, suffix)) for one in found.photos]
    if suffix:
        targets = _without_results(targets, found, resolved)
    sources = {resolved(target.source.path): target.source.path for target in targets}
    read = {resolved(mask): mask for mask in masks}
    claimed: dict[str, Path] = {}
    for target in targets:
        path = target.source.path
        for output in target.outputs:
            _check_name(output, path)
            file = resolved(output)
            if same_file(output, path) or file in sources:
                whose = "itself" if same_file(output, path) else sources[file]
                raise LimnerError(
                    f"The result of {path} would replace the photo {whose}, and limner never changes a photo: choose "
                    "another folder with --output, or add --suffix _restored."
                )
            if file in read:
                raise LimnerError(
                    f"The result of {path} would replace the mask {read[file]}, which limner only reads: choose "
                    "another --output."
                )
            if (other := claimed.setdefault(file, path)) is not path:
                raise LimnerError(f"{other} and {path} would both become {output}: give a folder for each.")
    return targets


def _without_results(targets: Sequence[Target], found: FoundPhotos, resolved: Resolver) -> list[Target]:
    results = {resolved(output) for target in targets for output in target.outputs}
    kept = [target for target in targets if resolved(target.source.path) not in results]
    if len(kept) < len(targets):
        found.passed_over.append(f"{len(targets) - len(kept)} files bear the name of another's result: left alone.")
    return kept


def _check_name(output: Path, photo: Path) -> None:
    """
    Raises:
        PhotoError: if limner writes no file of that name, or if that is the photograph's fault, which is none.
    """
    try:
        check_suffix(output)
    except PhotoError:
        if photo.is_file():  # of a store it isn't here yet
            opened_container(photo)
        raise


def _check_folder(out: Path) -> None:
    """
    Raises:
        LimnerError: if the output is neither a file that can be written nor a folder, or lies where none can be.
    """
    folder = out.parent if is_file_name(out) else out
    if folder == out and not out.is_dir() and suffix_of(out):
        raise LimnerError(
            f"{out} is no picture that limner writes ({', '.join(SUFFIXES)}) and no folder: choose another suffix, or "
            "make the folder first."
        )
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not there.is_dir():
        raise LimnerError(f"{out} can't be written: {there} is a file, so choose another --output.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise LimnerError(f"{out} can't be written: {there} may not be written to, so choose another --output.")
