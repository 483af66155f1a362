"""Hostile weights folders, checkpoints, graphs, run folders and tables against limner: nothing but its own errors.

    python -m tests.fuzz.weights --count 1000 --seed 0

Children read them, some after another, with little memory and little time. Of each case the outcome counts: it was
read, it was refused (a `LimnerError`), or it is a failure: another exception, too much time or memory, a crash, or code
of the case's that ran. Failures are kept in a folder, by seed and number.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import torch
from tests.fuzz.hostile_weights import KINDS, seeds

from limner.errors import LimnerError

SECONDS, MEMORY, BATCH = 30, 3 * 2**30, 50
"""For one case; of address space, which maps count in, above what is taken before; and cases a child."""


@dataclass
class Outcomes:
    """What came of the cases.

    Attributes:
        counts: loaded, refused and failed cases, by kind.
        failures: what went wrong, by the number of the case.
        slowest: seconds.
        memory: the most that a child took, in MiB.
    """

    counts: Counter[str] = field(default_factory=Counter)
    failures: dict[int, str] = field(default_factory=dict)
    slowest: float = 0.0
    memory: int = 0


def attempt(number: int, seed: int, good: Path, work: Path) -> tuple[str, str]:
    """Makes a case and reads it: its kind, and `loaded`, `refused` or what went wrong."""
    rng = random.Random(f"{seed} {number}")
    case = work / str(number)
    case.mkdir()
    kind = rng.choice(KINDS)
    read = kind(case, rng, good)
    signal.alarm(SECONDS)
    try:
        read()
        outcome = "loaded"
    except LimnerError as error:
        outcome = "refused" if len(str(error)) < 2000 else f"a sentence of {len(str(error))} characters"
    except BaseException as error:
        outcome = f"{type(error).__name__}: {error}"[:300].replace("\n", " ")
    signal.alarm(0)
    if (case / "ran").exists():
        outcome = "code of the case's ran"
    if outcome in ("loaded", "refused"):
        shutil.rmtree(case)
    return kind.__name__, outcome


def child(numbers: range, seed: int, good: Path, work: Path, report: int) -> None:
    """Tries cases one after another and writes a line on each, before and after it."""
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))
    warnings.simplefilter("ignore")
    for number in numbers:
        os.write(report, f"{number}\n".encode())
        started = time.monotonic()
        kind, outcome = attempt(number, seed, good, work)
        os.write(report, f"{number}\t{kind}\t{time.monotonic() - started}\t{outcome}\n".encode(errors="replace"))


def batch(numbers: range, seed: int, good: Path, work: Path, found: Outcomes) -> int:
    """Runs a child on some cases; the number at which to go on, which is behind the one that killed it."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reading)
        try:
            child(numbers, seed, good, work, writing)
        finally:
            os._exit(0)
    os.close(writing)
    last = numbers.start
    with os.fdopen(reading, errors="replace") as lines:
        for line in lines:
            number, *told = line.rstrip("\n").split("\t", 3)
            last = int(number)
            if told:
                kind, seconds, outcome = told
                found.slowest = max(found.slowest, float(seconds))
                found.counts[f"{kind} {outcome if outcome in ('loaded', 'refused') else 'failed'}"] += 1
                if outcome not in ("loaded", "refused"):
                    found.failures[last] = f"{kind}: {outcome}"
                last += 1
    _, status, used = os.wait4(pid, 0)
    found.memory = max(found.memory, used.ru_maxrss // 1024)
    if last < numbers.stop:
        why = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else "it ended"
        found.failures[last] = f"the child died of it ({why}; SIGALRM: more than {SECONDS} s)"
        found.counts["died"] += 1
        last += 1
    return last


def fuzz(seed: int, count: int, first: int = 0) -> Outcomes:
    """Tries `count` cases from the number `first` on, and copies those that failed to `fuzz-failures`."""
    found = Outcomes()
    with tempfile.TemporaryDirectory() as folder:
        good, work = Path(folder) / "good", Path(folder) / "work"
        good.mkdir(), work.mkdir()
        seeds(good)
        number = first
        while number < first + count:
            number = batch(range(number, min(number + BATCH, first + count)), seed, good, work, found)
        for failed in found.failures:
            if (work / str(failed)).is_dir():
                shutil.copytree(work / str(failed), Path("fuzz-failures") / f"{seed}-{failed}", dirs_exist_ok=True)
    return found


def main(seed: int, count: int, first: int = 0) -> int:
    """Prints what came of it; 0 if nothing failed."""
    torch.set_num_threads(1)
    started = time.monotonic()
    found = fuzz(seed, count, first)
    for what, cases in sorted(found.counts.items()):
        print(f"{cases:6} {what}")
    for number, why in sorted(found.failures.items()):
        print(f"FAILED {number}: {why}")
    sums = Counter(what.split()[-1] for what in found.counts.elements())
    print(
        f"{count} cases of seed {seed}: {sums['loaded']} loaded, {sums['refused']} refused, {len(found.failures)} "
        f"failed; slowest {found.slowest:.1f} s, most memory {found.memory} MiB, "
        f"{time.monotonic() - started:.0f} s in all"
    )
    return 1 if found.failures else 0


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=1000)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--first", type=int, default=0, help="Number of the first case; --count 1 runs it alone.")
    given = options.parse_args()
    sys.exit(main(given.seed, given.count, given.first))
