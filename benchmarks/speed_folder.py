"""A folder of portraits: one photograph after another, and as `limner restore FOLDER` does, several at once.

python benchmarks/speed_folder.py ../shared/faces [--photos 120] [--side 600] [--group 12] [--method difface]
    [--dtype auto] [--threads N] [--program] [--against CHECKOUT]

Test faces, degraded, lie on canvases of that side. The photographs are gone through in groups; of each group first all
are restored and written one after another by all threads together, then one after another by one thread, then several
at once, each by one thread, so that a busy moment of the machine hits all ways. The bytes of the last two must be the
same; of how many results the first has others, since sums are rounded otherwise, is told. At last, with `--program`,
`limner restore` itself goes over all of them, a process of its own: its photographs a minute, start included, and its
peak memory. With `--against` there is only this, by another checkout of this repository, such as an older one, and by
this one. Cores that stand idle tell how far the threads came: where other programs leave one core of two, nothing can
be won.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import cv2
import numpy as np
from PIL import Image

from limner.data.faces import FaceSet
from limner.degrade.degrade import degrade
from limner.device import threads_kept
from limner.evaluate.canvases import SIDE, on_canvas
from limner.folder.find import find_photos
from limner.folder.run import restore_all
from limner.folder.targets import Target, targets_of
from limner.restorer import Restorer, Settings
from machine import conditions, peak_memory

DAMAGE = "ffhq-ref-moderate"


def portraits(faces: FaceSet, count: int, side: int, folder: Path) -> None:
    """Writes so many, as JPEG; where there are fewer faces they come again, damaged otherwise."""
    folder.mkdir()
    for number in range(count):
        place = number % len(faces)
        crop = degrade(faces.image(place, SIDE), DAMAGE, np.random.default_rng((0, number)))
        picture, _ = on_canvas(crop, faces.landmarks(place, SIDE), 0)
        shown = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
        Image.fromarray(shown).save(folder / f"{number:05}.jpg", quality=85)


def one_after_another(restorer: Restorer, targets: list[Target]) -> None:
    """In this thread, computed by as many as the restorer has, as `limner restore` went over a folder before it had
    several under way."""
    for target in targets:
        done = restorer.restore(target.source.path)
        (path,) = target.outputs
        path.parent.mkdir(exist_ok=True)
        if done.provenance:
            done.save(path)
        else:
            path.write_bytes(target.source.path.read_bytes())


def by_one_thread(restorer: Restorer, targets: list[Target]) -> None:
    with threads_kept():
        one_after_another(restorer.for_a_thread(), targets)


def several_at_once(restorer: Restorer, targets: list[Target]) -> None:
    assert all(outcome.restoration for outcome in restore_all(restorer, targets))


def timed(
    way: Callable[[Restorer, list[Target]], None], restorer: Restorer, targets: list[Target]
) -> tuple[float, float]:
    """Seconds for each photograph, and how many cores were busy meanwhile."""
    started, busy = time.perf_counter(), time.process_time()
    way(restorer, targets)
    seconds = time.perf_counter() - started
    return seconds / len(targets), (time.process_time() - busy) / seconds


def compared(restorer: Restorer, folder: Path, group: int) -> None:
    """Goes both ways and prints the figures."""
    found = find_photos([folder])
    ways = {"one": one_after_another, "thread": by_one_thread, "several": several_at_once}
    targets = {name: targets_of(found, folder.parent / name) for name in ways}
    for name, way in ways.items():
        way(restorer, targets[name][:3])  # the first allocate and pick kernels
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    cores: dict[str, list[float]] = {name: [] for name in ways}
    for first in range(3, len(targets["one"]), group):
        for name, way in ways.items():
            each, busy = timed(way, restorer, targets[name][first : first + group])
            seconds[name].append(each)
            cores[name].append(busy)
    others = 0
    for target in targets["several"]:
        (path,) = target.outputs
        one, thread = ((folder.parent / way / path.name).read_bytes() for way in ("one", "thread"))
        assert path.read_bytes() == thread, path
        others += one != thread
    ratios = [one / several for one, several in zip(seconds["one"], seconds["several"], strict=True)]
    for name, each in seconds.items():
        print(
            f"{name:8}: {60 / statistics.median(each):.0f} photos a minute in the median group, "
            f"{60 / min(each):.0f} in the fastest; {statistics.median(cores[name]):.2f} cores busy with it"
        )
    overall, fastest = sum(seconds["one"]) / sum(seconds["several"]), min(seconds["one"]) / min(seconds["several"])
    print(
        f"several at once: {statistics.median(ratios):.2f} times as many in the median group ({min(ratios):.2f} to "
        f"{max(ratios):.2f}), {overall:.2f} over all, {fastest:.2f} of the fastest; {len(ratios)} groups of {group}, "
        f"all results the bytes of one thread, {others} not those of all threads together; peak memory of this process "
        f"{peak_memory():.0f} MB"
    )


def whole_program(folder: Path, words: list[str], checkout: Path) -> float:
    """Photographs a minute of a checkout's `limner restore`, with its start."""
    command = [sys.executable, str(Path(__file__).with_name("memory.py")), sys.executable, "-m", "limner", "restore"]
    results = Path(mkdtemp(dir=folder.parent))
    command += [str(folder), "--output", str(results), *words]
    environment = os.environ | {"PYTHONPATH": str(checkout / "src")}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    done = json.loads(done.stdout.splitlines()[-1])
    count = len(list(folder.iterdir()))
    assert len(list(results.glob("*.jpg"))) == count
    print(
        f"limner restore of {checkout.name}: {count} photos in {done['seconds']:.0f} s, "
        f"{60 * count / done['seconds']:.0f} a minute with the start; "
        f"{done['processor_seconds'] / count:.3f} s of processor time each, peak memory {done['peak_mb']:.0f} MB",
        flush=True,
    )
    return 60 * count / done["seconds"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path, help="folder of aligned faces with index.csv")
    parser.add_argument("--photos", type=int, default=120)
    parser.add_argument("--side", type=int, default=600)
    parser.add_argument("--group", type=int, default=12)
    parser.add_argument("--method", default="difface")
    parser.add_argument("--dtype", choices=("auto", "fp32", "bf16"), default="auto")
    parser.add_argument("--threads", type=int, default=None, help="torch's own number by default, as without --threads")
    parser.add_argument("--program", action="store_true")
    parser.add_argument("--against", type=Path, metavar="CHECKOUT")
    wish = parser.parse_args()
    if wish.against and not (wish.against / "src" / "limner").is_dir():
        parser.error(f"{wish.against} is no checkout of limner: it has no src/limner.")

    settings = Settings(method=wish.method, dtype=wish.dtype, threads=wish.threads, device="cpu")
    with TemporaryDirectory(prefix="limner-") as place:
        folder = Path(place) / "portraits"
        portraits(FaceSet.open(wish.faces, "test"), wish.photos, wish.side, folder)
        print(conditions(), flush=True)
        if not wish.against:
            compared(Restorer(settings), folder, wish.group)
        if wish.program or wish.against:
            threads = [] if wish.threads is None else ["--threads", str(wish.threads)]
            words = ["--method", wish.method, "--dtype", wish.dtype, "--device", "cpu", *threads]
            trees = [*([wish.against] if wish.against else []), Path(__file__).parents[1]]
            minutely = [whole_program(folder, words, tree.resolve()) for tree in trees]
            if wish.against:
                print(f"{minutely[1] / minutely[0]:.2f} times as many as that checkout")
        print(conditions())


if __name__ == "__main__":
    main()
