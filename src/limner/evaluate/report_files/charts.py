"""The charts of a report as geometry: where dots, bars and ticks stand in a drawing. The page's template draws them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from limner.evaluate.metric import Defined
from limner.evaluate.report import SECONDS
from limner.evaluate.report_files.evaluation import Evaluation
from limner.evaluate.report_files.scales import Bar, FactorScale, Scale, Tick
from limner.evaluate.summary import Summary

WIDTH = 340
"""Of a drawing, in its own units."""
STRIP_LEFT, RIGHT, STRIP, FOOT = 28, 12, 30, 22
"""Space left of strips and right of both charts, height of a strip, and of the tick labels below."""
MOST_DOTS = 200
"""Larger sets are drawn by so many of their quantiles, which keep the shape."""
DOT = 3.0
"""Diameter of a dot."""
SCATTER_LEFT, SCATTER_TOP, SCATTER_HEIGHT = 48, 14, 230
NO_TIME = 1e-3
"""Seconds below which nothing was restored, as of the input itself; such a row is a line across, not a point."""


@dataclass(frozen=True)
class Strip:
    """The figures of one row's pictures by one metric.

    Attributes:
        number, name: of the row.
        middle: height of the strip's middle.
        dots: an SVG path of points.
        mean: along the axis; None where there is none.
        left_out: pictures whose figure is no finite number.
    """

    number: int
    name: str
    middle: float
    dots: str
    mean: Bar | None
    left_out: int


@dataclass(frozen=True)
class Distribution:
    """One metric's strips, one a row, over a common axis."""

    metric: Defined
    strips: tuple[Strip, ...]
    ticks: tuple[Tick, ...]
    height: float
    width: float = WIDTH


@dataclass(frozen=True)
class Point:
    """A row in the plane of seconds and quality; `x` is None of a row that took no time."""

    number: int
    name: str
    x: float | None
    y: Bar


@dataclass(frozen=True)
class Scatter:
    """One metric against seconds a face, which grow by factors."""

    metric: Defined
    points: tuple[Point, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    left: float = SCATTER_LEFT
    top: float = SCATTER_TOP
    bottom: float = SCATTER_HEIGHT - 36
    width: float = WIDTH
    height: float = SCATTER_HEIGHT
    right: float = WIDTH - RIGHT


def distributions(evaluation: Evaluation) -> list[Distribution]:
    """The strips of every brief metric that has figures of single pictures."""
    found = []
    for metric in evaluation.metrics:
        values = [summary.figures.get(metric.key, np.zeros(0)) for summary in evaluation.summaries]
        finite = np.concatenate([one[np.isfinite(one)] for one in values])
        if metric.brief and len(finite):
            found.append(_distribution(metric, evaluation.summaries, values, finite))
    return found


def _distribution(
    metric: Defined, summaries: Sequence[Summary], values: Sequence[np.ndarray], finite: np.ndarray
) -> Distribution:
    scale = Scale.around(float(finite.min()), float(finite.max()), STRIP_LEFT, WIDTH - RIGHT)
    strips = []
    for number, (summary, row) in enumerate(zip(summaries, values, strict=True), 1):
        there, middle = np.sort(row[np.isfinite(row)]), STRIP * (number - 0.5)
        drawn = there if len(there) <= MOST_DOTS else np.quantile(there, (np.arange(MOST_DOTS) + 0.5) / MOST_DOTS)
        estimate = summary.estimates.get(metric.key)
        mean = scale.bar(estimate) if estimate and math.isfinite(estimate.value) else None
        dots = path_of(swarm([scale.place(value) for value in drawn.tolist()], middle))
        strips.append(Strip(number, summary.row, middle, dots, mean, len(row) - len(there)))
    return Distribution(metric, tuple(strips), scale.ticks(), STRIP * len(strips) + FOOT)


def scatters(evaluation: Evaluation) -> list[Scatter]:
    """Every brief metric with a better end against the seconds; none where they aren't known."""
    drawn = (_scatter(metric, evaluation) for metric in evaluation.metrics if metric.brief)
    return [one for one in drawn if one]


def _scatter(metric: Defined, evaluation: Evaluation) -> Scatter | None:
    """The chart of one metric; None where it has no better end, or no row that took its time."""
    rows = [
        (number, summary.row, summary.estimates[SECONDS.key].value, summary.estimates[metric.key])
        for number, summary in enumerate(evaluation.summaries, 1)
        if {SECONDS.key, metric.key} <= summary.estimates.keys()
    ]
    rows = [row for row in rows if math.isfinite(row[2]) and math.isfinite(row[3].value)]
    spent = [seconds for _, _, seconds, _ in rows if seconds >= NO_TIME]
    if metric.larger_is_better is None or not spent:
        return None
    ends = [end for *_, one in rows for end in (one.value, one.low, one.high) if math.isfinite(end)]
    bottom = Scatter.bottom
    up = Scale.around(min(ends), max(ends), bottom, SCATTER_TOP)
    across = FactorScale.around(min(spent), max(spent), SCATTER_LEFT, Scatter.right)
    points = [
        Point(number, name, across.place(seconds) if seconds >= NO_TIME else None, up.bar(one))
        for number, name, seconds, one in rows
    ]
    return Scatter(metric, tuple(points), across.ticks(), up.ticks())


def swarm(places: Sequence[float], middle: float) -> list[tuple[float, float]]:
    """Dots along an axis that hardly cover each other: those of one place stand in turn above and below the middle.

    Args:
        places: along the axis.
        middle: height of the strip's middle.
    """
    crowds = Counter(round(place / DOT) for place in places)
    step = min(DOT, (STRIP - 2 * DOT) / max(crowds.values(), default=1))
    before: Counter[int] = Counter()
    dots = []
    for place in places:
        crowd = round(place / DOT)
        rank = before[crowd]
        before[crowd] += 1
        dots.append((place, middle + step * ((rank + 1) // 2) * (-1) ** rank))
    return dots


def path_of(dots: Sequence[tuple[float, float]]) -> str:
    """An SVG path of points, to be drawn with round ends."""
    return "".join(f"M{x:.1f} {y:.1f}h0" for x, y in dots)
