"""What a protocol found, ready to be shown: a table, JSON, contact sheets, because a number alone proves nothing, and
plots of one metric against another."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from limner.evaluate.intervals import Interval
from limner.extras import needed
from limner.photo.write import save_png, write_atomically

CAPTION = 22
NOTHING = "-"
"""What stands in a cell without a figure."""

Figure = float | int | str | None
"""What stands in a row under one key; None where there is nothing to say."""


def is_nothing(value: Figure) -> bool:
    """Whether there is no figure: None, or a mean or an interval that couldn't be told."""
    return value is None or (isinstance(value, float) and math.isnan(value))


@dataclass(frozen=True)
class Row:
    """One line of a table: its figures by the keys that JSON gives them."""

    figures: Mapping[str, Figure]

    def __getitem__(self, key: str) -> Figure:
        return self.figures[key]

    def number(self, key: str) -> float:
        """The figure of a key, as a number.

        Raises:
            KeyError: if there is no such key.
            TypeError: if its figure is no number.
        """
        figure = self.figures[key]
        if not isinstance(figure, int | float):
            raise TypeError(f"The figure '{key}' is {figure!r}, which is no number.")
        return float(figure)


@dataclass(frozen=True)
class Column:
    """How the figures of one key are shown in a table.

    Attributes:
        key: of the figures.
        heading: of the column.
        form: format specification, such as `.2f`.
        tail: template of what stands after the figure in the same cell, such as ` ± {spread:.3f}`, by keys.
    """

    key: str
    heading: str
    form: str = ""
    tail: str = ""

    def text(self, value: Figure) -> str:
        """A figure in the column's form; a dash where there is none, or it is no number."""
        return NOTHING if is_nothing(value) else format(value, self.form)

    def between(self, interval: Interval) -> str:
        """The ends of an interval; a dash where there is none, as of fewer than four pictures."""
        ends = (interval.low, interval.high)
        return NOTHING if any(map(is_nothing, ends)) else " to ".join(map(self.text, ends))

    def cell(self, row: Row) -> str:
        """A row's figure as text; a dash where there is none."""
        value = row[self.key]
        return NOTHING if is_nothing(value) else self.text(value) + self.tail.format_map(row.figures)


METHOD = Column("method", "method")
SECONDS = Column("seconds", "s a face", ".2f")
"""Seconds a face, after loading."""


@dataclass(frozen=True)
class Sheet:
    """A contact sheet: a row of pictures for every face, under headings.

    Attributes:
        pictures: of every face, (H, W, 3) uint8 and all of one size, one for each heading.
        headings: of the columns.
        most: faces that are shown, spread evenly over all.
    """

    pictures: Sequence[Sequence[np.ndarray]]
    headings: Sequence[str]
    most: int = 8

    def save(self, path: Path) -> None:
        """Saves the sheet as PNG; its folder is made where it is missing."""
        save_sheet(path, self.pictures, self.headings, self.most)


@dataclass(frozen=True)
class Plot:
    """Curves of one metric against another.

    Attributes:
        curves: points (x, y) by the curve's name, in the order in which its scale grows.
        across, up: what the axes show.
        by_factors: whether x grows by factors, as steps do, not by summands.
    """

    curves: Mapping[str, Sequence[tuple[float, float]]]
    across: str
    up: str
    by_factors: bool = False

    def save(self, path: Path) -> None:
        """Saves the curves as PNG; the folder is made where it is missing.

        Raises:
            LimnerError: if matplotlib is missing.
        """
        save_plot(path, self)


@dataclass(frozen=True)
class Report:
    """What a protocol found.

    Attributes:
        facts: what holds for all rows, such as the protocol's name and the number of faces.
        rows: the figures.
        columns: of the table, in their order.
        text: the table itself, of protocols that draw their own and have no columns.
        note: a line that stands below the table.
        rows_key: what JSON calls the rows.
        sheet: the pictures behind the figures, of protocols that show any.
        plot: curves, likewise.
    """

    facts: Mapping[str, Figure]
    rows: Sequence[Row]
    columns: Sequence[Column] = ()
    text: str = ""
    note: str = ""
    rows_key: str = "rows"
    sheet: Sheet | None = field(default=None, repr=False)
    plot: Plot | None = None

    def as_json(self) -> dict[str, object]:
        """The report as JSON knows it: the facts, and the rows under their key; what is no number stands as None."""
        rows = [{key: None if is_nothing(one) else one for key, one in row.figures.items()} for row in self.rows]
        return {**self.facts, self.rows_key: rows}

    def headings(self) -> list[str]:
        """The headings of the table's columns."""
        return [column.heading for column in self.columns]

    def cells(self) -> list[list[str]]:
        """The table's rows as text."""
        return [[column.cell(row) for column in self.columns] for row in self.rows]


def contact_sheet(rows: Sequence[Sequence[np.ndarray]], headings: Sequence[str], gap: int = 4) -> np.ndarray:
    """Lays pictures out in rows under captions.

    Args:
        rows: of pictures (H, W, 3) uint8, all of the same size; each row as long as `headings`.
        headings: one caption a column.
        gap: white pixels between pictures.

    Returns:
        (height, width, 3) uint8.
    """
    height, width = rows[0][0].shape[:2]
    sheet = np.full((CAPTION + len(rows) * (height + gap), len(headings) * (width + gap) - gap, 3), 255, np.uint8)
    for column, heading in enumerate(headings):
        place = (column * (width + gap) + 2, CAPTION - 7)
        cv2.putText(sheet, heading, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
        for row, pictures in enumerate(rows):
            top, left = CAPTION + row * (height + gap), column * (width + gap)
            sheet[top : top + height, left : left + width] = pictures[column]
    return sheet


def save_sheet(path: Path, pictures: Sequence[Sequence[np.ndarray]], headings: Sequence[str], most: int = 8) -> None:
    """Saves a contact sheet as PNG.

    Args:
        path: the file; its folder is made where it is missing.
        pictures: of every face, (H, W, 3) uint8 and all of one size, one for each heading.
        headings: of the columns.
        most: faces that are shown, spread evenly over all.
    """
    picked = np.linspace(0, len(pictures) - 1, min(most, len(pictures))).round().astype(int)
    sheet = contact_sheet([pictures[i] for i in picked], headings)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_png(path, sheet)


def save_plot(path: Path, plot: Plot) -> None:
    """Saves curves as PNG, each a line through its points, from which on its scale grows; of one point it is a cross.

    Args:
        path: the file.
        plot: the curves.

    Raises:
        LimnerError: matplotlib is missing.
    """
    with needed("matplotlib", "--plot"):
        from matplotlib.figure import Figure
    figure = Figure(figsize=(7, 5), dpi=120, layout="constrained")
    axes = figure.add_subplot(xlabel=plot.across, ylabel=plot.up)
    if plot.by_factors:
        axes.set_xscale("log")
        across = sorted({x for points in plot.curves.values() for x, _ in points})
        axes.set_xticks(across, [f"{x:g}" for x in across], minor=False)
        axes.minorticks_off()
    for name, points in plot.curves.items():
        axes.plot(*zip(*points, strict=True), "o-" if len(points) > 1 else "kx", label=name, markersize=5)
    axes.legend()
    axes.grid(alpha=0.3)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, drawn.getvalue())
