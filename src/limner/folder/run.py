"""Many photographs, several at once, and what became of each.

Each photograph walks the whole way in one thread, as `Restorer.restore` has it, and so comes out as it does alone. On a
CPU that thread computes by itself: a second one in the same nets makes 1.5 times the photographs, a second photograph
beside the first 1.8 times (benchmarks/speed_folder.py), and results don't depend on how many cores there are. On a
card, whose nets take one photograph's faces at a time, others are read, searched, put back, written meanwhile.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import SimpleQueue

import torch

from limner.device import free_memory, threads_kept
from limner.errors import Cancelled, LimnerError, unexpected
from limner.folder.earlier import Kept, alters, kept
from limner.folder.in_order import Bounds, Stop, in_order
from limner.folder.pictures import SidePictures
from limner.folder.targets import Target
from limner.holes.mask import Mask, MaskFiles
from limner.methods import METHODS, find_method
from limner.photo.photo import Photo
from limner.photo.read import check_limit, opened_container
from limner.photo.writable import check_quality, check_writable
from limner.photo.write import sweep, write_atomically
from limner.restoration import Restoration
from limner.restorer import Restorer
from limner.storage.files import HERE, Files

log = logging.getLogger(__name__)

ON_A_CARD = 3
"""Photographs that are worked on: one before the nets, one in them, one behind them."""
DRAWN = 5
"""Photographs for each that is worked on, that were drawn and not told yet: so many may be done while an earlier one
with many faces isn't."""
MEGAPIXELS, MEGAPIXEL = 16.0, 70_000_000
"""Of their results together, at the least: more where a quarter of the free memory holds them, of which each takes so
many bytes. (One photograph of 12 takes 1.5 GB, with weights and libraries, and two take 2.3.)"""


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
        timeout: seconds after which a photograph is given up, waiting for others of the run included; it is looked
            at between two evaluations of a net and between two faces, so that finding faces is never cut short. None
            gives up none.
        files: where photographs and results lie; masks and pictures beside the results lie on this machine.

    Raises:
        PhotoError: if a number lies outside its range.
        LimnerError: if there is no such timeout.
    """

    overwrite: bool = False
    max_megapixels: float = 100.0
    quality: int | None = None
    provenance: bool = True
    beside: SidePictures = field(default_factory=SidePictures)
    keep_time: bool = False
    masks: MaskFiles | None = None
    timeout: float | None = None
    files: Files = HERE

    def __post_init__(self) -> None:
        check_limit(self.max_megapixels)
        check_quality(self.quality)
        check_timeout(self.timeout)

    def mask_of(self, target: Target) -> Mask | None:
        """The holes of a photograph; None where it has none."""
        return self.masks.of(target.source.place) if self.masks else None


def check_timeout(timeout: float | None) -> None:
    """
    Raises:
        LimnerError: if it is no number of seconds above 0.
    """
    if timeout is not None and not 0 < timeout < float("inf"):
        raise LimnerError(f"The timeout is {timeout:g} seconds: choose a number above 0, or leave it out.")


def kept_of(target: Target, restorer: Restorer, saving: Saving) -> Kept | None:
    """As `limner.folder.earlier.kept`; but a result without the pictures that are wanted beside it is made anew.

    Args:
        target: a photograph and its results.
        restorer, saving: of the run.
    """
    saving.files.bring(*target.outputs)
    found = kept(target.outputs, target.source.path, restorer, saving.quality, saving.mask_of(target))
    faces = found.provenance.faces if found and found.provenance else 0
    return None if faces and not saving.beside.there(target.source.place) else found


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
    at_once: int | None = None,
) -> Generator[Outcome]:
    """Restores photographs, several at once, and tells of each in their order; a file that fails is reported and the
    rest goes on, whatever happened.

    Results that are there already and are what this run would make are passed over, so that an interrupted run goes on
    where it stopped. Whoever closes the generator ends the run: what is being written is written, all else is dropped.

    Args:
        restorer: with its settings.
        targets: from `targets_of`, or any others; they are drawn in the thread that asks for outcomes, no more than
            `bounds_of` says.
        saving: what is written.
        progress: see `Restorer.restore`; called in the threads that restore, for one photograph or another.
        at_once: photographs that are worked on. With 1 each has all of the CPU's threads; with more, and on a CPU by
            default for each of its threads one, it has one.

    Yields:
        One outcome for each target.

    Raises:
        LimnerError: if the method makes nothing before the result and that is wanted.
        Cancelled: if `progress` does; the photographs before this one are written, or dropped whole.
    """
    saving = saving or Saving()
    check_intermediate(restorer.settings.method, saving.beside)
    alone, at_once = at_once == 1, at_once or at_once_of(restorer)
    free = SimpleQueue[Run]()
    for one in [restorer] if alone else workers(restorer, at_once):
        free.put(Run(one, saving, progress))

    def outcome(target: Target, stop: Stop) -> Outcome:
        run = free.get()
        try:
            return run.outcome(target, stop)
        finally:
            free.put(run)

    weight = Run(restorer, saving).megapixels
    with threads_kept():
        yield from in_order(_swept(targets), outcome, weight, bounds_of(at_once))


def at_once_of(restorer: Restorer) -> int:
    """How many photographs are worked on at once: on a CPU one for each thread, as far as the memory holds them."""
    compute, threads = restorer.compute, restorer.settings.threads or torch.get_num_threads()
    if threads == 1:
        return 1
    return max(1, min(threads, compute.room(restorer.size))) if compute.device.type == "cpu" else ON_A_CARD


def bounds_of(at_once: int) -> Bounds:
    """How much may be under way where so many photographs are worked on."""
    room = free_memory(torch.device("cpu")) / 4 / MEGAPIXEL
    return Bounds(at_once, DRAWN * at_once + 1, max(MEGAPIXELS, room) if at_once > 1 else MEGAPIXELS)


def workers(restorer: Restorer, at_once: int) -> list[Restorer]:
    """Restorers for so many threads: on a CPU one for each that computes in one."""
    if restorer.compute.device.type != "cpu" or restorer.settings.threads == 1:
        return [restorer] * at_once
    return [restorer.for_a_thread(at_once) for _ in range(at_once)]


def _swept(targets: Iterable[Target]) -> Iterator[Target]:
    """The targets; before the first in a folder what a killed run left there is taken away."""
    known: set[Path] = set()
    for target in targets:
        for folder in {output.parent for output in target.outputs} - known:
            sweep(folder)
            known.add(folder)
        yield target


@dataclass(frozen=True)
class Run:
    """What becomes of one photograph of a run; arguments as for `restore_all`."""

    restorer: Restorer
    saving: Saving
    progress: Callable[[int, int], None] | None = None

    def megapixels(self, target: Target) -> float:
        """Of a target's results; 0 where the photograph can't be opened, which is told when it is read."""
        settings = self.restorer.settings
        try:
            self.saving.files.bring(target.source.path)
            width, height = opened_container(target.source.path, self.saving.max_megapixels).size
        except Exception:
            return 0.0
        return width * height * settings.upscale**2 * settings.results / 1e6

    def outcome(self, target: Target, stop: Stop) -> Outcome:
        """What became of a photograph.

        Raises:
            Cancelled: if the run is to end.
        """
        outcome = Outcome(target.source.path, target.outputs)
        try:
            self.saving.files.bring(target.source.path)
            outcome.kept = None if self.saving.overwrite else kept_of(target, self.restorer, self.saving)
            if not outcome.kept:
                outcome.restoration = self._restored(target, stop)
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
        return outcome

    def _restored(self, target: Target, stop: Stop) -> Restoration:
        """Restores one photograph and writes all of its results."""
        photo = Photo.open(target.source.path, self.saving.max_megapixels)
        for path in target.outputs:
            check_writable(photo, path, self.saving.quality, self.restorer.settings.upscale)

        begun, timeout = time.monotonic(), self.saving.timeout

        def asked(done: int, total: int) -> None:
            stop.check()
            if timeout and time.monotonic() - begun > timeout:
                raise LimnerError(f"It took longer than {timeout:g} s and was given up: raise --timeout for it.")
            if self.progress:
                self.progress(done, total)

        restoration = self.restorer.restore(photo, asked, self.saving.mask_of(target))
        stop.check()
        self._write(target, photo, restoration)
        return restoration

    def _write(self, target: Target, photo: Photo, restoration: Restoration) -> None:
        source, saving = target.source.path, self.saving
        for path, restored in zip(target.outputs, restoration.photos, strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            if restoration.provenance or alters(self.restorer, source, path):
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
            saving.files.keep(path)
        saving.beside.save(photo, restoration, target.source.place)


def _naming(source: Path, sentence: str) -> str:
    """The sentence with the photograph's name, which not every part of the way knows."""
    return sentence if str(source) in sentence else f"{source}: {sentence}"
