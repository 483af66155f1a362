"""Damaged photos by the thousand: each is read, changed a little, written again in its format and read once more.

    python -m tests.fuzz.photos --count 10000 --seed 0

Every file goes through in a child process. Any end but a photo or one of limner's own sentences is a failure, and so
are more than 5 seconds, more than 1 GB, a photo refused though only its metadata were touched, and a result that
can't be read again. Failures are kept with the command that repeats each; the exit status is 1 if there are any.
"""

import argparse
import multiprocessing
import os
import resource
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from limner.errors import LimnerError
from limner.photo.photo import Photo
from limner.photo.provenance import Provenance
from limner.photo.provenance import read as provenance_of

from .photo_mutations import Case, case
from .photo_seeds import suffix

SECONDS, MEGABYTES = 5.0, 1000
_NO_ANSWER = 90.0  # seconds until a child counts as hanging: it shares its core
_ADDRESSES = 6_000_000_000  # bytes: a net under the machine; what counts is measured
_LOSSLESS = ("PNG", "TIFF", "BMP")
_MADE = Provenance("difface", "mini", 1, 1, "0.1.0")


@dataclass(frozen=True)
class Outcome:
    """How a case ended: `refused`, `restored`, or a failure's kind; what it said; seconds and megabytes it took."""

    index: int
    kind: str
    message: str = ""
    seconds: float = 0.0
    megabytes: float = 0.0

    @property
    def failed(self) -> bool:
        return self.kind not in ("refused", "restored")


def tried(made: Case, index: int, folder: Path) -> Outcome:
    """One case, in this process."""
    source, result = folder / f"{index}{suffix(made.name)}", folder / f"{index}-out"
    source.write_bytes(made.data)
    _forget_peak()
    held = _peak()  # by whatever else this process does
    began, busy = time.perf_counter(), time.process_time()
    try:
        kind, message = _way(source, result)
    except LimnerError as error:
        lost = isinstance(error.__cause__, MemoryError)
        kind, message = "memory" if lost else "metadata" if made.intact else "refused", str(error)
    except Exception as error:
        kind, message = type(error).__name__, str(error)
    # Whichever is less: other programs take time from the clock, other threads of a decoder from the cores.
    seconds = min(time.perf_counter() - began, time.process_time() - busy)
    megabytes = _peak() - held
    if seconds > SECONDS:
        kind = "slow"
    if megabytes > MEGABYTES:
        kind = "memory"
    source.unlink()
    result.unlink(missing_ok=True)
    return Outcome(index, kind, message.replace(str(source), source.name), seconds, megabytes)


def _way(source: Path, result: Path) -> tuple[str, str]:
    photo = Photo.open(source)
    pixels = photo.pixels.copy()
    pixels[: max(1, len(pixels) // 8), : max(1, pixels.shape[1] // 8)] //= 2
    photo.replaced(pixels).save(result, provenance=_MADE)
    again = Photo.open(result)
    if photo.format in _LOSSLESS and (again.pixels != pixels).any():
        return "changed", "the pixels of a lossless format differ"
    if photo.format != "BMP" and provenance_of(result) != _MADE:
        return "provenance", "the result doesn't say what was done"
    return "restored", ""


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _peak() -> float:
    """The most megabytes that this process held since `_forget_peak`."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1000


def _child(link: Connection, run_seed: int, folder: str) -> None:
    """Answers numbers of cases with their outcomes until None comes."""
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES, _ADDRESSES))
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 2)  # decoders speak of the damage
    while (index := link.recv()) is not None:
        link.send(tried(case(run_seed, index), index, Path(folder)))


def outcomes(run_seed: int, indices: Iterable[int], children: int = 2) -> list[Outcome]:
    """All cases of these numbers, in child processes, in the order of their numbers."""
    waiting, found, lock = iter(indices), [], threading.Lock()

    def work(folder: str) -> None:
        child: tuple[multiprocessing.process.BaseProcess, Connection] | None = None
        while True:
            with lock:
                index = next(waiting, None)
            if index is None:
                break
            child = child or _started(run_seed, folder)
            process, link = child
            outcome = None
            try:
                link.send(index)
                if link.poll(_NO_ANSWER):
                    outcome = link.recv()
                else:
                    outcome = Outcome(index, "hang", f"no answer for {_NO_ANSWER:g} s")
            except (EOFError, OSError):
                process.join(10)
                outcome = Outcome(index, "crash", f"the process ended with {process.exitcode}")
            if outcome.kind in ("hang", "crash"):
                process.kill()
                child = None
            with lock:
                found.append(outcome)
        if child:
            child[1].send(None)
            child[0].join()

    with tempfile.TemporaryDirectory() as folder:
        threads = [threading.Thread(target=work, args=(folder,)) for _ in range(children)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return sorted(found, key=lambda outcome: outcome.index)


def _started(run_seed: int, folder: str) -> tuple[multiprocessing.process.BaseProcess, Connection]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_child, args=(theirs, run_seed, folder), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def main() -> int:
    """Runs the cases that the command line asks for and prints what became of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--count", type=int, default=10_000, help="how many files")
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn")
    parser.add_argument("--only", type=int, help="the number of a single case, run in this process")
    parser.add_argument("--keep", type=Path, default=Path("runs/fuzz/photos"), help="folder of the files that failed")
    asked = parser.parse_args()
    if asked.only is not None:
        made = case(asked.seed, asked.only)
        with tempfile.TemporaryDirectory() as folder:
            print(made.name, made.how, tried(made, asked.only, Path(folder)))
        return 0
    began = time.perf_counter()
    found = outcomes(asked.seed, range(asked.count))
    for one in (one for one in found if one.failed):
        made = case(asked.seed, one.index)
        asked.keep.mkdir(parents=True, exist_ok=True)
        (asked.keep / f"{asked.seed}-{one.index}{suffix(made.name)}").write_bytes(made.data)
        print(f"FAILED {one.kind}: {made.name}, {made.how}: {one.message}")
        print(f"  python -m tests.fuzz.photos --seed {asked.seed} --only {one.index}")
    print_counts(asked.seed, found)
    slowest, largest = max(found, key=lambda o: o.seconds), max(found, key=lambda o: o.megabytes)
    print(f"{len(found)} files in {time.perf_counter() - began:.0f} s")
    print(f"slowest {slowest.seconds:.1f} s (case {slowest.index}), "
          f"most memory {largest.megabytes:.0f} MB (case {largest.index})")  # fmt: skip
    return int(any(one.failed for one in found))


def print_counts(run_seed: int, found: list[Outcome]) -> None:
    """A table: a row for each format, a column for each kind of end."""
    counts = Counter((suffix(case(run_seed, one.index).name), one.kind) for one in found)
    kinds = ["restored", "refused", *sorted({one.kind for one in found if one.failed})]
    print("format", *(f"{kind:>10}" for kind in kinds))
    for format in sorted({format for format, _ in counts}):
        print(f"{format:6}", *(f"{counts[format, kind]:10}" for kind in kinds))
    print("all   ", *(f"{sum(one.kind == kind for one in found):10}" for kind in kinds))


if __name__ == "__main__":
    sys.exit(main())
