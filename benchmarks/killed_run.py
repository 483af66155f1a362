"""Restoring a folder in runs that are killed, and by two processes at once, beside an undisturbed run.

    python benchmarks/killed_run.py [--count 2000] [--kills 10] [--seed 0]

Small photographs: every tenth shows a face, one in twenty is broken, the others are noise. `limner restore` (DifFace,
one step, no finish, one thread) runs as a process of its own, and is killed (SIGKILL) at random moments while it
restores, then it runs to the end; the same again with two processes at once, of which one after the other is killed and
started anew. Held against an undisturbed run: the results' bytes, which photographs are told to have been restored more
than once (a process that is killed between writing a result and noting it finds it there), temporary files that were
left, and what `limner verify` says.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image
from skimage.data import astronaut

from limner.archive.manifest import Manifest
from limner.errors import LimnerError
from machine import conditions

OPTIONS = ["--steps", "1", "--finish", "0", "--threads", "1"]
FACE, BROKEN, IN_A_FOLDER = 10, 20, 100


def make(photos: Path, count: int) -> None:
    """The photographs."""
    face = Image.fromarray(astronaut()[:288, 72:360]).resize((96, 96), Image.Resampling.LANCZOS)
    for number in range(count):
        file, data = photos / f"{number // IN_A_FOLDER:02}" / f"{number:05}.jpg", io.BytesIO()
        file.parent.mkdir(parents=True, exist_ok=True)
        if number % FACE == 3:
            face.save(data, "JPEG", quality=60 + number % 35)
        else:
            noise = np.random.default_rng(number).integers(0, 256, (16, 24, 3), np.uint8)
            Image.fromarray(noise).save(data, "JPEG")
        broken = number % BROKEN == 7
        file.write_bytes(data.getvalue()[: 20 if broken else None])


class Run:
    """One process that restores, and what it tells."""

    def __init__(self, photos: Path, out: Path, log: Path):
        self.log = log
        with log.open("a") as told:
            command = [sys.executable, "-m", "limner", "restore", str(photos), "-o", str(out), *OPTIONS]
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=told)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def ended(self) -> bool:
        return self.process.poll() is not None


def finished(out: Path) -> int:
    """Photographs that are done or failed."""
    try:
        with Manifest(out) as manifest:
            counts = manifest.counts()
            return sum(counts.values()) - counts["waiting"] - counts["claimed"]
    except LimnerError:  # it is being made
        return 0


def disturbed(photos: Path, out: Path, at_once: int, moments: list[int], chance: random.Random) -> list[Path]:
    """Restores with so many processes at once, of which one is killed when so many photographs are finished, a little
    later by chance; then to the end. Gives what they told."""
    logs = [out.parent / f"{out.name}_{number}.log" for number in range(at_once)]
    runs = [Run(photos, out, log) for log in logs]
    for moment in moments:
        while finished(out) < moment and not all(run.ended() for run in runs):
            time.sleep(0.02)
        time.sleep(chance.random() * 0.3)
        victim = chance.randrange(at_once)
        if not runs[victim].ended():
            runs[victim].kill()
            runs[victim] = Run(photos, out, logs[victim])
    for run in runs:
        run.process.wait()
    last = Run(photos, out, logs[0])  # what a process had that was killed when the others were through
    last.process.wait()
    return logs


def told(logs: list[Path]) -> Counter[str]:
    """How often each photograph was told to have been restored or passed on."""
    lines = [line for log in logs for line in log.read_text().splitlines()]
    names = [found[1] for line in lines if (found := re.search(r"(\d{5})\.jpg: (?:\d+ face|no face)", line))]
    return Counter(names)


def results(out: Path) -> dict[str, bytes]:
    return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*.jpg")}


def tell(what: str, out: Path, logs: list[Path], expected: dict[str, bytes], seconds: float) -> bool:
    """Compares, says what came out, and tells whether all is well."""
    made, counted = results(out), told(logs)
    other = sum(made.get(name) != data for name, data in expected.items()) + len(made.keys() - expected.keys())
    left = [path for path in out.rglob(".*") if path.name != ".limner"]
    left += [path for path in (out / ".limner").iterdir() if path.name != "manifest.sqlite"]
    verified = json.loads(
        subprocess.run(
            [sys.executable, "-m", "limner", "verify", str(out), "--json"], capture_output=True, text=True
        ).stdout
    )
    with Manifest(out) as manifest:
        counts = {state: count for state, count in manifest.counts().items() if count}
    twice = sum(count > 1 for count in counted.values())
    untold = len(made) - len(counted)
    print(
        f"{what}: {seconds:.0f} s, {counts}, {len(made)} results, {other} other than undisturbed, {twice} restored "
        f"twice, {untold} written but untold at a kill, {len(left)} temporary files left, verify: {verified['fine']} "
        f"fine, {len(verified['missing']) + len(verified['changed']) + len(verified['unreadable'])} not",
        flush=True,
    )
    return not other and not twice and not left and verified["fine"] == len(expected)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    wish = parser.parse_args()
    chance, well = random.Random(wish.seed), True
    print(conditions(), flush=True)
    with TemporaryDirectory() as folder:
        photos, undisturbed = Path(folder) / "photos", Path(folder) / "undisturbed"
        make(photos, wish.count)
        started = time.perf_counter()
        logs = disturbed(photos, undisturbed, 1, [], chance)
        expected = results(undisturbed)
        well &= tell("undisturbed", undisturbed, logs, expected, time.perf_counter() - started)
        for at_once, what in ((1, "killed"), (2, "two at once, killed")):
            out, started = Path(folder) / f"killed_{at_once}", time.perf_counter()
            moments = sorted(chance.randrange(wish.count) for _ in range(wish.kills))
            logs = disturbed(photos, out, at_once, moments, chance)
            well &= tell(f"{what} {wish.kills} times", out, logs, expected, time.perf_counter() - started)
    print(conditions())
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
