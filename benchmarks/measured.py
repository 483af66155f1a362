"""What `run.py` found, and how it is found: everything takes its turn, so that a busy moment of the machine hits all
alike, and each turn begins with a matrix product that tells how fast the machine is at that moment.

The clock of a single thread on the CPU is its processor time: on an idle machine that is the time on the wall, and
other programs hardly change it. Of more threads, and of a GPU, it is the time on the wall."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from cases import Case, Program, What
from limner import LimnerError
from machine import DTYPES, Clock, matmul_rate, relative_error, timed
from restoring import ready

HERE = Path(__file__).parent


class Spread(NamedTuple):
    """A figure over all turns: its median, the least and the most."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> Spread:
        return cls(statistics.median(figures), min(figures), max(figures))


@dataclass(frozen=True)
class Measured:
    """What was found of one case or program.

    Attributes:
        what: it.
        seconds: of each turn, of the whole batch, by the clock that suits (`clock_of`).
        rates: GFLOP/s of a plain matrix product in that turn, of the case's dtype, threads and device; of a program in
            fp32 on the CPU.
        peak_mb: peak memory of a process that does it once and nothing else, in MB.
        card_mb: the same of a GPU; None on the CPU.
        error: root mean square of the difference to the first case of the same work, over the spread of that one's
            pictures; None for that one itself.
    """

    what: What
    seconds: tuple[float, ...]
    rates: tuple[float, ...]
    peak_mb: float
    card_mb: float | None = None
    error: float | None = None

    def work(self) -> Spread:
        """Seconds times rate, which a machine that is slower for everything leaves as it is: GFLOP that a plain matrix
        product would do in that time."""
        return Spread.of([second * rate for second, rate in zip(self.seconds, self.rates, strict=True)])

    def times(self, first: Measured) -> Spread:
        """How many times as long as another of the same run takes, turn by turn."""
        return Spread.of([second / other for second, other in zip(self.seconds, first.seconds, strict=True)])


@dataclass(frozen=True)
class Run:
    """All that one call of `run.py` found.

    Attributes:
        conditions: of the machine, before and after, in words.
        measured: restorations first, then programs.
    """

    conditions: tuple[str, str]
    measured: tuple[Measured, ...]

    def groups(self) -> list[list[Measured]]:
        """Restorations and programs apart, those that there are; ratios are to the first of each."""
        both = [[one for one in self.measured if isinstance(one.what, kind)] for kind in (Case, Program)]
        return [group for group in both if group]

    def write(self, path: Path) -> None:
        try:
            path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise LimnerError(f"{path} can't be written ({error.strerror}).") from error

    @classmethod
    def read(cls, path: Path) -> Run:
        """Reads what `write` wrote.

        Raises:
            LimnerError: if the file can't be read, or holds something else.
        """
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            return cls(tuple(told["conditions"]), tuple(_measured(**one) for one in told["measured"]))
        except OSError as error:
            raise LimnerError(f"{path} can't be read ({error.strerror}).") from error
        except (ValueError, TypeError, KeyError) as error:
            raise LimnerError(f"{path} is no result of benchmarks/run.py: give a file that its -o wrote.") from error


def _measured(what: Mapping[str, Any], seconds: list[float], rates: list[float], **others: Any) -> Measured:
    kind = Program if "command" in what else Case
    return Measured(kind(**what), tuple(seconds), tuple(rates), **others)


class Whole(NamedTuple):
    """What `memory.py` tells of a program, and the last line that the program itself printed."""

    seconds: float
    processor_seconds: float
    peak_mb: float
    said: str


def whole(command: Sequence[str], threads: int, folder: Path | None = None) -> Whole:
    """Runs a program to its end, in a folder or where this one runs.

    Raises:
        LimnerError: if it fails; with the last that it said.
    """
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    launched = [sys.executable, str(HERE / "memory.py"), *command]
    done = subprocess.run(launched, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise LimnerError(lines[-1] if lines else f"exit status {done.returncode}")
    *said, told = done.stdout.strip().splitlines()
    found = json.loads(told)
    return Whole(found["seconds"], found["processor_seconds"], found["peak_mb"], said[-1] if said else "")


def measure_cases(cases: Sequence[Case], repeat: int, tell: Callable[[str], None]) -> list[Measured]:
    """Restores each case once in a process of its own, for its memory, and then all of them in turns.

    Args:
        cases: what is measured.
        repeat: turns.
        tell: is told the progress, and what can't be measured, which is then left out.
    """
    memory: dict[Case, tuple[float, float | None]] = {}
    for case in cases:
        try:
            alone = whole([sys.executable, str(HERE / "restoring.py"), json.dumps(asdict(case))], case.threads)
            memory[case] = alone.peak_mb, json.loads(alone.said)["card_mb"]
            tell(f"alone: {case.name}: {alone.peak_mb:.0f} MB")
        except LimnerError as error:
            tell(f"left out: {case.name}: {error}")
    calls = {case: ready(case) for case in memory}
    pictures: dict[tuple[str | int, ...], Tensor] = {}
    errors: dict[Case, float | None] = {}
    for case, call in calls.items():  # the first call allocates and picks kernels
        made = call()
        exact = pictures.setdefault(case.work, made)
        errors[case] = None if exact is made else relative_error(made, exact)
    turns = [_turn(calls) for _ in range(repeat)]
    return [
        Measured(
            case,
            tuple(turn[case][0] for turn in turns),
            tuple(turn[case][1] for turn in turns),
            *memory[case],
            error=errors[case],
        )
        for case in calls
    ]


def _turn(calls: Mapping[Case, Callable[[], object]]) -> dict[Case, tuple[float, float]]:
    """Seconds and rate of each."""
    found: dict[Case, tuple[float, float]] = {}
    rates: dict[tuple[str, int, str], float] = {}
    for case, call in calls.items():
        machine = case.dtype, case.threads, case.device
        if machine not in rates:
            rates[machine] = rate_of(*machine)
        found[case] = timed(call, clock_of(case.threads, case.device)), rates[machine]
    return found


def rate_of(dtype: str, threads: int, device: str) -> float:
    """GFLOP/s of a plain matrix product at this moment."""
    torch.set_num_threads(threads)
    return matmul_rate(DTYPES[dtype], 3, device, clock_of(threads, device))


def clock_of(threads: int, device: str) -> Clock:
    return time.process_time if threads == 1 and device == "cpu" else time.perf_counter


def measure_programs(programs: Sequence[Program], folder: Path, repeat: int, threads: int) -> list[Measured]:
    """Runs programs in a folder, in turns, each time from their start to their end. A first turn, which fills the file
    cache, isn't counted.

    Raises:
        LimnerError: if one of them fails.
    """
    for program in programs:
        whole(program.words, threads, folder)
    turns: list[dict[Program, tuple[Whole, float]]] = []
    for _ in range(repeat):
        rate = rate_of("fp32", threads, "cpu")
        turns.append({program: (whole(program.words, threads, folder), rate) for program in programs})
    own = clock_of(threads, "cpu") is time.process_time

    def seconds(one: Whole) -> float:
        return one.processor_seconds if own else one.seconds

    return [
        Measured(
            program,
            tuple(seconds(turn[program][0]) for turn in turns),
            tuple(turn[program][1] for turn in turns),
            max(turn[program][0].peak_mb for turn in turns),
        )
        for program in programs
    ]
