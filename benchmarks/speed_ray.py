"""A folder of portraits: two workers of Ray beside one process with two threads.

python benchmarks/speed_ray.py ../shared/faces [--photos 63] [--side 600] [--group 12] [--method difface] [--dtype auto]

Test faces, degraded, lie on canvases of that side. The photographs are gone through in groups; of each group first one
process restores all, several at once and on two threads, then two workers of Ray do, each on one thread, so that a busy
moment of the machine hits both ways. The workers' bytes must be those of one process on one thread, which goes over all
at the end. Processor time is that of all processes that restore and, of Ray's way, of the driver; it says how much is
lost where other programs are busy, too. What Ray's start takes is told apart, and how many things a minute a driver
hands out and takes back that are no work at all.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from limner.cluster.connected import connected
from limner.cluster.job import Begun
from limner.cluster.pool import Pool
from limner.cluster.restore import RestoreJob
from limner.cluster.room import Room
from limner.data.faces import FaceSet
from limner.folder.find import find_photos
from limner.folder.in_order import Stop
from limner.folder.run import Outcome, Saving, restore_all
from limner.folder.targets import Target, targets_of
from limner.restorer import Restorer
from limner.settings import Settings
from machine import conditions
from speed_folder import portraits

GOAL = 1.15
THINGS = 5000


@dataclass(frozen=True)
class Nothing:
    """A job that is none."""

    def begin(self) -> Begun[int, int]:
        return Begun(nothing, {})

    def lost(self, item: int, deaths: int) -> int:
        raise AssertionError(f"{item} ended {deaths} workers")


def nothing(item: int, stop: Stop) -> int:
    return item


def processor_seconds(process: int) -> float:
    """Of a process and its threads until now."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed(way: Callable[[], Sequence[Outcome]], processes: Sequence[int]) -> tuple[float, float]:
    """Seconds and processor seconds for each photograph."""
    started, busy = time.perf_counter(), sum(map(processor_seconds, processes))
    outcomes = way()
    seconds, busy = time.perf_counter() - started, sum(map(processor_seconds, processes)) - busy
    assert outcomes and all(one.restoration for one in outcomes), [one.error for one in outcomes if one.error]
    return seconds / len(outcomes), busy / len(outcomes)


def compared(settings: Settings, folder: Path, group: int) -> None:
    """Goes both ways and prints the figures."""
    found = find_photos([folder])
    one, two, ray = (targets_of(found, folder.parent / name) for name in ("one", "two", "ray"))
    seconds: dict[str, list[float]] = {"one": [], "ray": []}
    busy: dict[str, list[float]] = {"one": [], "ray": []}
    with ExitStack() as stack:
        started = time.perf_counter()
        stack.enter_context(connected("local"))
        connecting = time.perf_counter() - started
        job = RestoreJob(replace(settings, threads=1), Saving())
        pool = stack.enter_context(Pool(job, Room(2, 1), len(ray)))
        warm: list[Target] = ray[:4]
        assert len(list(pool.each(warm))) == len(warm) and len(pool.ready) == 2
        beginning = time.perf_counter() - started - connecting
        processes = [os.getpid(), *(one.process for one in pool.ready)]
        restorer = Restorer(replace(settings, threads=2))
        list(restore_all(restorer, two[:4]))
        for first in range(4, len(ray), group):
            ways = {
                "one": lambda: list(restore_all(restorer, two[first : first + group])),  # noqa: B023  # called at once
                "ray": lambda: list(pool.each(ray[first : first + group])),  # noqa: B023
            }
            for name, way in ways.items():
                each, used = timed(way, processes)
                seconds[name].append(each)
                busy[name].append(used)
        list(restore_all(Restorer(replace(settings, threads=1)), one))
        for mine, theirs in zip(one, ray, strict=True):
            assert mine.outputs[0].read_bytes() == theirs.outputs[0].read_bytes(), theirs.outputs
    for name, what in (("one", "one process, two threads"), ("ray", "two workers, one thread each")):
        print(
            f"{what}: {60 / statistics.median(seconds[name]):.0f} photos a minute in the median group, "
            f"{60 / min(seconds[name]):.0f} in the fastest; {statistics.median(busy[name]):.3f} s of processor time "
            "each"
        )
    ratios = [theirs / ours for ours, theirs in zip(seconds["one"], seconds["ray"], strict=True)]
    print(
        f"by Ray each photo takes {statistics.median(ratios):.2f} times as long in the median group "
        f"({min(ratios):.2f} to {max(ratios):.2f}), {sum(seconds['ray']) / sum(seconds['one']):.2f} over all, "
        f"{min(seconds['ray']) / min(seconds['one']):.2f} of the fastest (goal: at most {GOAL}), "
        f"{statistics.median(busy['ray']) / statistics.median(busy['one']):.2f} times the processor time; "
        f"{len(ratios)} groups of {group}; the bytes are those of one process on one thread"
    )
    print(
        f"Ray was there after {connecting:.1f} s, both workers had restored their first photos {beginning:.1f} s later"
    )


def driver() -> None:
    """How much a driver can do."""
    with connected("local"), Pool(Nothing(), Room(2, 1), THINGS) as pool:
        list(pool.each(range(100)))
        started, busy = time.perf_counter(), time.process_time()
        assert list(pool.each(range(THINGS))) == list(range(THINGS))
        seconds, busy = time.perf_counter() - started, time.process_time() - busy
    print(
        f"{60 * THINGS / seconds:.0f} things a minute that are no work, {1e3 * busy / THINGS:.2f} ms of the driver each"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path, help="folder of aligned faces with index.csv")
    parser.add_argument("--photos", type=int, default=64)
    parser.add_argument("--side", type=int, default=600)
    parser.add_argument("--group", type=int, default=12)
    parser.add_argument("--method", default="difface")
    parser.add_argument("--dtype", choices=("auto", "fp32", "bf16"), default="auto")
    wish = parser.parse_args()
    settings = Settings(method=wish.method, dtype=wish.dtype, device="cpu")
    with TemporaryDirectory(prefix="limner-") as place:
        folder = Path(place) / "portraits"
        portraits(FaceSet.open(wish.faces, "test"), wish.photos, wish.side, folder)
        print(conditions(), flush=True)
        compared(settings, folder, wish.group)
        driver()
        print(conditions())


if __name__ == "__main__":
    main()
