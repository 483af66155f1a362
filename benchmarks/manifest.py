"""Seconds and memory that an archive's bookkeeping costs.

    python benchmarks/manifest.py [--count 100000]

An archive of empty files in folders of 1,000, in a temporary folder. Measured are, each in a process of its own: the
plan of a run where there is no manifest yet (`--dry-run`); two processes that claim and finish every photograph without
restoring any; the plan where all is done, with another seed, and where a tenth has other times; `status`. Seconds are
by the clock and of the processor, memory is the process's peak as the system counted it (VmHWM, Linux alone); of two
processes it is the larger one's.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from machine import conditions

IN_A_FOLDER = 1000
FINISHING = """
import sys, time
from pathlib import Path
from limner import Settings
from limner.archive.asked import asked_of
from limner.archive.claims import Claims
from limner.archive.manifest import Manifest, put_outputs
from limner.archive.plan import Wish, plan
from limner.folder.find import find_photos
from limner.folder.targets import targets_of
photos, out = Path(sys.argv[1]), Path(sys.argv[2])
asked = asked_of(Settings(), "100 megapixels", None, True, "")
targets = targets_of(find_photos([photos], [out], opened=False), out)
done = 0
with Manifest(out, create=True) as manifest, Claims(manifest, asked) as claims:
    planned = plan(manifest, targets, Wish(asked, since=claims.since))
    claims.prepare(planned)
    for number, photo in claims.each([place for place, _ in planned.todo]):
        target = planned.todo[number][1]
        stat = target.source.path.stat()
        with manifest.change() as rows:
            rows.execute(
                "UPDATE photos SET worker = NULL, state = 'done', size = ?, mtime_ns = ?, sha256 = ?, asked = ?, "
                "limits = ?, faces = 1, seconds = 1, ended = ? WHERE id = ? AND worker = ?",
                (stat.st_size, stat.st_mtime_ns, "e" * 64, claims.asked, asked.limits, time.time(), photo, claims.id),
            )
            put_outputs(rows, photo, [(target.outputs[0].relative_to(out), 1, "e" * 64)])
        done += 1
print(done)
"""


MEASURED = """
import atexit, re, runpy, sys
atexit.register(lambda: print(re.search("VmHWM:\\\\s+(\\\\d+)", open("/proc/self/status").read())[1]))
sys.argv.pop(0)
"""
LIMNER = MEASURED + "from limner.cli.main import main\nmain()"


@dataclass(frozen=True)
class Cost:
    """What a command cost: seconds by the clock and of the processor, MB at its peak, and what it printed."""

    clock: float
    processor: float
    megabytes: float
    told: str


def cost_of(*commands: Sequence[str]) -> Cost:
    """Of commands that run at the same time."""
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    running = [subprocess.Popen(one, stdout=subprocess.PIPE, text=True) for one in commands]
    peaks, told = [], []
    for process in running:
        assert process.stdout
        told.append(process.stdout.read().strip())
        assert process.wait() == 0, told
        told[-1], _, peak = told[-1].rpartition("\n")
        peaks.append(int(peak) * 1024 / 1e6)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(time.perf_counter() - started, processor, max(peaks), " + ".join(told))


def tell(what: str, cost: Cost) -> None:
    print(
        f"{what}: {cost.clock:.1f} s ({cost.processor:.1f} s of the processor), {cost.megabytes:.0f} MB: "
        + " ".join(cost.told.split()),
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000)
    wish = parser.parse_args()
    print(conditions(), flush=True)
    with TemporaryDirectory() as folder:
        photos, out = Path(folder) / "photos", Path(folder) / "out"
        files = [photos / f"{n // IN_A_FOLDER:03}" / f"IMG_{n:06}.jpg" for n in range(wish.count)]
        for file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        limner = [sys.executable, "-c", LIMNER, "limner"]
        dry = [*limner, "restore", str(photos), "-o", str(out), "--dry-run"]
        tell("plan of a new archive", cost_of(dry))
        for file in files:  # what a restoration would have written
            result = out / file.relative_to(photos)
            result.parent.mkdir(parents=True, exist_ok=True)
            result.write_bytes(b"x")
        finishing = [sys.executable, "-c", MEASURED + FINISHING, "-", str(photos), str(out)]
        tell("two processes claim and finish all", cost_of(finishing, finishing))
        tell("plan, all done", cost_of(dry))
        tell("plan, another seed", cost_of([*dry, "--seed", "1"]))
        tell("status", cost_of([*limner, "status", str(out)]))
        for file in files[::10]:
            os.utime(file, (1, 1))
        tell("plan, a tenth has other times", cost_of(dry))
        size = sum(one.stat().st_size for one in (out / ".limner").iterdir())
        print(f"the manifest: {size / 1e6:.1f} MB")
    print(conditions())


if __name__ == "__main__":
    main()
