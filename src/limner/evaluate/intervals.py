"""How sure a mean is: bootstrap intervals (Efron 1979), paired where two results were measured on the same pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2_000
COVERAGE = 0.95
DRAWN = 1_000_000
"""Figures of resamples that are looked at together, so that memory doesn't grow with the pictures."""
FEWEST = 4
"""Pictures below which nothing can be said of others of their kind."""


@dataclass(frozen=True)
class Interval:
    """An estimate and where it would lie with other pictures of the same kind.

    Attributes:
        value: of all pictures.
        low, high: what `COVERAGE` of the resamples lie between.
    """

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether 0 lies outside."""
        return self.low > 0 or self.high < 0


def mean_interval(figures: np.ndarray) -> Interval:
    """The mean of figures (N,) with its interval, whose ends are NaN where a figure is no finite number, or there are
    fewer than `FEWEST`.

    The resamples are the same in every run, so that two runs can be compared to the last digit.
    """
    if len(figures) < FEWEST or not np.isfinite(figures).all():
        value = float(np.mean(figures)) if len(figures) else float("nan")
        return Interval(value, float("nan"), float("nan"))
    drawn = figures.astype(np.float64)
    means = np.concatenate([drawn[places].mean(axis=1) for places in resamples(len(figures))])
    return Interval(float(np.mean(figures)), *_between(means))


def difference_interval(ours: np.ndarray, theirs: np.ndarray) -> Interval:
    """The mean of ours less theirs, of the same pictures, (N,) each: every resample draws pictures, not figures, so
    that what makes a picture hard for both doesn't hide the difference."""
    return mean_interval(np.asarray(ours, np.float64) - np.asarray(theirs, np.float64))


def set_interval(of: Callable[[np.ndarray], float], count: int, resampled: int = 100) -> Interval:
    """Of a figure of a whole set, such as a Fréchet distance, the estimate and its interval over halves of the set
    drawn without return.

    Drawn with return, as for a mean, a picture would lie beside its own copy, and such distances are biased by that. A
    half is the subsample whose spread is that of the whole (Politis & Romano 1994: the variance of a half without
    return is that of the whole).

    Args:
        of: from the places of some pictures to the figure.
        count: pictures of the set.
        resampled: halves that are drawn.
    """
    value = of(np.arange(count))
    if count < FEWEST:
        return Interval(value, float("nan"), float("nan"))
    generator = np.random.default_rng(count)
    halves = np.array([of(generator.permutation(count)[: count // 2]) for _ in range(resampled)])
    low, high = _between(halves - halves.mean())
    return Interval(value, value + low, value + high)


def resamples(count: int) -> Iterator[np.ndarray]:
    """Places of pictures, drawn with return: (R, count) each, `RESAMPLES` rows together."""
    generator, most = np.random.default_rng(count), max(DRAWN // count, 1)
    for first in range(0, RESAMPLES, most):
        yield generator.integers(0, count, (min(most, RESAMPLES - first), count))


def _between(values: np.ndarray) -> tuple[float, float]:
    rest = 100 * (1 - COVERAGE) / 2
    low, high = np.percentile(values, [rest, 100 - rest])
    return float(low), float(high)
