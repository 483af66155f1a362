"""The table of a report: estimates with their intervals, and which row is surely best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from limner.evaluate.intervals import mean_interval
from limner.evaluate.metric import Defined
from limner.evaluate.report import NOTHING, Column
from limner.evaluate.report_files.evaluation import Evaluation
from limner.evaluate.summary import Summary, compare

MARKED = (
    "Marked is the best of a column, where its paired difference to the next best is real: the 95 % interval of the "
    "difference, over the same pictures, excludes 0. Of a ratio the best is the one whose pictures lie nearest to 1; "
    "of distances of whole sets the two intervals are joined. Seconds, and rows that were shown the truth, are not "
    "marked."
)
BELOW = "Below each figure stands its own 95 % interval, none of fewer than 4 pictures."


@dataclass(frozen=True)
class Cell:
    """One figure of the table.

    Attributes:
        figure: as text.
        interval: likewise; empty where the row has no such figure.
        best: whether it is surely the best of its column.
    """

    figure: str
    interval: str
    best: bool


@dataclass(frozen=True)
class TableRow:
    """One line of the table.

    Attributes:
        number: 1 for the first; charts call the row so.
        name: of the row.
        bound: whether the row was shown the truth.
        cells: one a column.
    """

    number: int
    name: str
    bound: bool
    cells: tuple[Cell, ...]


def table_of(evaluation: Evaluation) -> list[TableRow]:
    """All rows, by the columns of the evaluation."""
    contenders = [one for one in evaluation.summaries if one.row not in evaluation.bounds]
    best = {one.key: best_row(one, contenders) for one in evaluation.columns if isinstance(one, Defined)}
    return [
        TableRow(
            number,
            summary.row,
            summary.row in evaluation.bounds,
            tuple(cell(column, summary, best.get(column.key)) for column in evaluation.columns),
        )
        for number, summary in enumerate(evaluation.summaries, 1)
    ]


def cell(column: Column, summary: Summary, best: str | None) -> Cell:
    """A row's figure.

    Args:
        column: which.
        summary: the row.
        best: name of the row that is surely best.
    """
    if column.key not in summary.estimates:
        return Cell(NOTHING, "", False)
    estimate = summary.estimates[column.key]
    return Cell(column.text(estimate.value), column.between(estimate), summary.row == best)


def best_row(metric: Defined, summaries: Sequence[Summary]) -> str | None:
    """The name of the row that is surely the best by a metric, or None.

    Args:
        metric: by which.
        summaries: the rows that contend.
    """
    rows = [by_goodness(metric, summary) for summary in summaries if metric.key in summary.estimates]
    sign = -1 if metric.larger_is_better else 1
    known = [row for row in rows if not math.isnan(row.estimates[metric.key].value)]
    ranked = sorted(known, key=lambda row: sign * row.estimates[metric.key].value)
    if len(ranked) < 2 or not set(ranked[0].names) & set(ranked[1].names):
        return None
    real = [one.difference.excludes_zero for one in compare(ranked[0], ranked[1])]
    return ranked[0].row if real == [True] else None


def by_goodness(metric: Defined, summary: Summary) -> Summary:
    """A row by one metric alone; by a ratio, how far each picture lies from 1."""
    key = metric.key
    figures = {key: summary.figures[key]} if key in summary.figures else {}
    estimates = {key: summary.estimates[key]}
    if metric.larger_is_better is None and figures:
        figures = {key: abs(figures[key] - 1)}
        estimates = {key: mean_interval(figures[key])}
    return replace(summary, figures=figures, estimates=estimates)
