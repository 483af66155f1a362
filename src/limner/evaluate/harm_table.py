"""The table of a run of the protocol `harm`, with what was measured of other tools beside it, in Markdown.

    python -m limner.evaluate.harm_table RUN

RUN is the folder that `limner benchmark --protocol harm -o RUN` left: it holds a folder for each damage and size, in
which every row has one of its own. Whatever was restored from `RUN/CELL/input` by another tool and measured into
`RUN/CELL/TOOL` by `limner evaluate` is a row like the others. Each figure but the worst stands with half of its
interval of 95 %; those of a restoration are less the input's, paired by face.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from limner.errors import LimnerError
from limner.evaluate.damages import DAMAGES
from limner.evaluate.evaluate import SUMMARY
from limner.evaluate.harm import SIZES, Cell
from limner.evaluate.intervals import difference_interval, mean_interval
from limner.evaluate.side_by_side import INPUT
from limner.evaluate.summary import Summary

FIGURES = {
    "ssim": ("SSIM", ".3f"),
    "perceptual": ("perceptual", ".0f"),
    "true_detail": ("true detail", ".2f"),
    "identity": ("identity", ".3f"),
    "hog": ("HOG", ".3f"),
    "dlib": ("dlib", ".3f"),
}
"""Headings and forms of the figures behind the PSNR, by their keys."""
HEADINGS = ("damage", "px", "row", "faces", "PSNR dB", "worst", *(heading for heading, _ in FIGURES.values()))
DASH = "–"


@dataclass(frozen=True)
class Rows:
    """What was measured of one damage at one size.

    Attributes:
        cell: the damage and the size.
        before: the input.
        others: what became of it, in the order of their names.
    """

    cell: Cell
    before: Summary
    others: tuple[Summary, ...]

    @classmethod
    def read(cls, run: Path, cell: Cell) -> Rows | None:
        """Those in a run's folder; None where the cell isn't measured yet.

        Raises:
            LimnerError: a summary can't be read.
        """
        found = {path.parent.name: path for path in sorted((run / cell.folder).glob(f"*/{SUMMARY}"))}
        if INPUT not in found:
            return None
        before = Summary.read(found.pop(INPUT))
        return cls(cell, before, tuple(Summary.read(path) for path in found.values()))

    def lines(self) -> Iterator[list[str]]:
        """The cells of the table's lines, the input's first."""
        start = [self.cell.damage, str(self.cell.size)]
        own = mean_interval(_finite(self.before.figures["psnr"]))
        decibels = DASH if self.cell.undamaged else _with_half(own.value, own.low, own.high, ".1f")
        yield [*start, INPUT, str(len(self.before.names)), decibels, DASH, *self._figures(self.before, None)]
        for one in self.others:
            before = self._of_the_same(one)
            gains = _finite(one.figures["psnr"] - (0 if self.cell.undamaged else before["psnr"]))
            gain, sign = mean_interval(gains), "" if self.cell.undamaged else "+"
            yield [
                *start,
                f"`{one.row}`",
                str(len(one.names)),
                _with_half(gain.value, gain.low, gain.high, f"{sign}.2f"),
                _told(float(gains.min(initial=np.inf)), f"{sign}.2f"),
                *self._figures(one, before),
            ]

    def _of_the_same(self, other: Summary) -> dict[str, np.ndarray]:
        """The input's figures of the faces that another row has, in its order.

        Raises:
            LimnerError: if it has others.
        """
        places = {name: place for place, name in enumerate(self.before.names)}
        if missing := [name for name in other.names if name not in places]:
            raise LimnerError(f"{other.row} has {missing[0]} under {self.cell.damage}, which the input lacks.")
        chosen = [places[name] for name in other.names]
        return {key: values[chosen] for key, values in self.before.figures.items()}

    def _figures(self, one: Summary, before: dict[str, np.ndarray] | None) -> Iterator[str]:
        for key, (_, form) in FIGURES.items():
            if key not in one.figures or (before is not None and key not in before):
                yield DASH
            elif before is None:
                yield format(float(one.figures[key].mean()), form)
            else:
                found = difference_interval(one.figures[key], before[key])
                yield _with_half(found.value, found.low, found.high, f"+{form}")


def table(run: Path) -> str:
    """The Markdown of a run.

    Raises:
        LimnerError: if nothing in the folder is measured, or a summary can't be read.
    """
    cells = [Rows.read(run, Cell(*both)) for both in product(DAMAGES, SIZES)]
    lines = [line for rows in cells if rows for line in rows.lines()]
    if not lines:
        raise LimnerError(f"{run} holds no figures of the protocol harm: give the folder that its --output named.")
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (HEADINGS, ["---"] * len(HEADINGS), *lines))


def _finite(values: np.ndarray) -> np.ndarray:
    """PSNR of the faces that differ from the truth at all."""
    return values[np.isfinite(values)]


def _told(value: float, form: str) -> str:
    """A figure; a dash where it is no finite number."""
    return format(value, form).replace("-", "−") if np.isfinite(value) else DASH


def _with_half(value: float, low: float, high: float, form: str) -> str:
    """An estimate with half of its interval, where there is one."""
    told = _told(value, form)
    return told if np.isnan(low) else f"{told} ± {format((high - low) / 2, form.lstrip('+'))}"


def main() -> None:
    """Prints the table of the folder that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder that limner benchmark --protocol harm -o left")
    try:
        print(table(parser.parse_args().run))
    except LimnerError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
