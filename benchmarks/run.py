"""Speed and memory of restorations, of whole programs, and of one run against another.

    python benchmarks/run.py                                  # four methods as they are, one face, fp32, one thread
    python benchmarks/run.py --method refldm --batch 1,4 --dtype fp32,bf16 --references 0,1,4 -o after.json
    python benchmarks/run.py --weights published --path plain,eager,compile --dtype fp32,bf16 --steps 2
    python benchmarks/run.py --device cuda --weights published --path eager,compile,graphs --dtype fp32,bf16
    python benchmarks/run.py --start                          # `limner restore` beside importing torch and diffusers
    python benchmarks/run.py --compare before.json after.json

Every option of a case takes several values, by commas or by being repeated, and all combinations are measured in turns
that can be. One thread of the CPU is timed by its processor time, all else by the wall clock. Printed are medians with
the least and the most of all turns, ratios to the first case turn by turn, peak memory of a process of its own for each
case, and the root mean square error to the first case of the same work.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch

from cases import DEVICES, DTYPES, PATHS, SIZES, Axes, Case, Program, counted, grid
from compare import compare, table
from limner import LimnerError
from limner.methods import METHODS
from machine import conditions
from measured import Measured, Run, Spread, measure_cases, measure_programs


def words(text: str) -> list[str]:
    return text.split(",")


def numbers(text: str) -> list[int]:
    try:
        return [int(one) for one in words(text)]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"'{text}' should be whole numbers, such as 1,4") from error


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)

    def several(option: str, kind: type[str] | type[int], told: str) -> None:
        parser.add_argument(option, action="extend", type=words if kind is str else numbers, metavar="A,B", help=told)

    several("--method", str, f"{', '.join(METHODS)}; by default all")
    several("--weights", str, f"{' or '.join(SIZES)}: the embedded ones, or the papers' nets with random ones")
    several("--size", int, f"side of the faces in pixels; by default {SIZES}")
    several("--batch", int, "faces restored together; by default 1")
    several("--dtype", str, f"{' or '.join(DTYPES)}; by default fp32")
    several("--steps", int, "of the chain; by default what suits the weights")
    several("--references", int, "other photographs of the person, for each face; by default 0")
    several("--threads", int, "of the CPU; by default 1")
    several("--path", str, "; ".join(f"{name}: {told}" for name, told in PATHS.items()) + "; by default eager")
    parser.add_argument("--device", choices=DEVICES, default="cpu")
    parser.add_argument("--repeat", type=int, default=5, help="turns; by default 5")
    parser.add_argument("--start", action="store_true", help="measure whole programs, and no cases unless asked for")
    parser.add_argument("-o", "--output", type=Path, help="JSON file for the result")
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("A.json", "B.json"), help="two results, and stop")
    return parser.parse_args()


def axes_of(wish: argparse.Namespace) -> Axes | None:
    """What was asked for; None where nothing was but the start of programs."""
    options = {"method": "methods", "weights": "weights", "size": "sizes", "batch": "batches", "dtype": "dtypes"}
    options |= {"steps": "steps", "references": "references", "threads": "threads", "path": "paths"}
    asked = {field: getattr(wish, option) for option, field in options.items() if getattr(wish, option) is not None}
    cases = asked.keys() - {"threads"} or wish.device != "cpu"
    return Axes(device=wish.device, **asked) if cases or not wish.start else None


PROGRAMS = (
    Program("python -c 'import torch, diffusers'"),
    Program("python -m limner --version"),
    Program("python -m limner restore portrait.jpg --output restored.jpg --overwrite --device cpu"),
)
"""Importing the libraries, which no restoration can go below; the command line alone; and a portrait restored."""


def save_portrait(folder: Path) -> None:
    from PIL import Image
    from skimage.data import astronaut

    Image.fromarray(astronaut()[:288, 72:360]).save(folder / "portrait.jpg")


def measure(wish: argparse.Namespace) -> Run:
    """Measures what was asked for.

    Raises:
        LimnerError: if it can't be.
    """
    if wish.repeat < 1:
        raise LimnerError(f"--repeat is {wish.repeat}: give at least 1.")
    threads = (wish.threads or [1])[0]
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    axes, found = axes_of(wish), []
    cases, reasons = grid(axes) if axes else ([], [])
    for reason in reasons:
        print(f"left out: {reason}", file=sys.stderr)
    before = conditions()
    if cases:
        found += measure_cases(cases, wish.repeat, lambda told: print(told, file=sys.stderr, flush=True))
        if not found:
            raise LimnerError("No case could be measured: the lines above say why.")
    if wish.start:
        with tempfile.TemporaryDirectory() as folder:
            save_portrait(Path(folder))
            found += measure_programs(PROGRAMS, Path(folder), wish.repeat, threads)
    torch.set_num_threads(threads)
    return Run((before, conditions()), tuple(found))


def rows(group: Sequence[Measured]) -> list[str]:
    """A Markdown table of restorations or of programs; what all have in common stands above it."""
    columns = [one.what.columns() for one in group]
    varied = [name for name in columns[0] if len({one[name] for one in columns}) > 1] or list(columns[0])[:1]
    shared = [value for name, value in columns[0].items() if name not in varied]
    heads = [*varied, "seconds", "times the first", "peak memory", "error"]
    table = [f"All: {', '.join(shared)}.", ""] if shared else []
    table += [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for one, told in zip(group, columns, strict=True):
        card = f", GPU {one.card_mb:.0f} MB" if one.card_mb is not None else ""
        error = "" if one.error is None else f"{one.error:.1e}"
        figures = [spread(Spread.of(one.seconds), 3), spread(one.times(group[0]), 2), f"{one.peak_mb:.0f} MB{card}"]
        table.append(f"| {' | '.join([*(told[name] for name in varied), *figures, error])} |")
    return table


def rates(measured: Sequence[Measured]) -> str:
    """How fast the machine was in the turns, for each precision."""
    by_dtype: dict[str, list[float]] = {}
    for one in measured:
        by_dtype.setdefault(one.what.dtype if isinstance(one.what, Case) else "fp32", []).extend(one.rates)
    return ", ".join(f"{dtype} {spread(Spread.of(each), 0)}" for dtype, each in by_dtype.items())


def spread(figure: Spread, digits: int) -> str:
    return f"{figure.median:.{digits}f} ({figure.least:.{digits}f} to {figure.most:.{digits}f})"


def main() -> None:
    wish = parsed()
    try:
        if wish.compare:
            before, after = (Run.read(path) for path in wish.compare)
            print(table(before, after, compare(before, after)))
            return
        run = measure(wish)
        print(*run.conditions, sep="\n")
        for group in run.groups():
            print("", *rows(group), sep="\n")
        print(f"\n{counted(wish.repeat, 'turn')} each; a matrix product in them: {rates(run.measured)} GFLOP/s")
        if wish.output:
            run.write(wish.output)
    except LimnerError as error:
        sys.exit(f"run.py: {error}")


if __name__ == "__main__":
    main()
