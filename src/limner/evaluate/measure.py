"""Measures restored pictures against true ones, one after the other, and sums up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from limner.evaluate.comparison import Comparison, Likeness
from limner.evaluate.extractors import Extractor
from limner.evaluate.intervals import Interval, mean_interval
from limner.evaluate.measured import Measured
from limner.evaluate.metric import Metric, Need, SetMetric
from limner.evaluate.picture_sets import Seen
from limner.evaluate.report import SECONDS
from limner.evaluate.summary import Summary

BLOCK = 512
"""Pictures whose nearest truths are looked for at once."""


@dataclass(frozen=True)
class Measures:
    """What is measured of each picture, and of the set.

    Attributes:
        metrics: of each picture; those that need a gallery are told from the vectors at the end.
        set_metrics: of the set.
        extractors: what both look through.
        timed: whether the seconds that a picture took are known.
    """

    metrics: tuple[Metric, ...]
    set_metrics: tuple[SetMetric, ...]
    extractors: tuple[Extractor, ...]
    timed: bool = False

    def open(self, folder: Path) -> Measured:
        """The table that figures and vectors are added to; it goes on with one that is there.

        Raises:
            LimnerError: if the folder holds other figures.
        """
        keys = [metric.key for metric in self.metrics if "gallery" not in metric.needs]
        widths = {extractor.name: extractor.width for extractor in self.extractors}
        return Measured.open(folder, [*keys, *([SECONDS.key] if self.timed else [])], widths)

    def add(self, measured: Measured, seen: Seen, seconds: float | None = None) -> None:
        """Measures one picture more.

        Args:
            measured: of `open`.
            seen: the picture and what belongs to it.
            seconds: that it took; if `timed`.
        """
        vectors = {one.name: one.of([seen.picture, seen.truth]) for one in self.extractors}
        likeness = {name: Likeness(np.array([np.dot(*pair)])) for name, pair in vectors.items()}
        inputs = [] if seen.input is None else [seen.input]
        comparison = Comparison([seen.picture], [seen.truth], inputs, likeness)
        figures = {one.key: float(one.of(comparison)[0]) for one in self.metrics if "gallery" not in one.needs}
        if seconds is not None:
            figures[SECONDS.key] = seconds
        measured.add(seen.name, figures, {name: (pair[0], pair[1]) for name, pair in vectors.items()})

    def summary(self, row: str, measured: Measured, facts: Mapping[str, object]) -> Summary:
        """The estimates of a set that is measured.

        Args:
            row: what it is called.
            measured: its figures and vectors.
            facts: see `Summary`.
        """
        own = measured.figures()
        galleried = [metric for metric in self.metrics if "gallery" in metric.needs]
        if galleried:
            among = self._among(measured)
            own |= {metric.key: metric.of(among).astype(float) for metric in galleried}
        figures = {metric.key: metric.factor * own[metric.key] for metric in self.metrics}
        if self.timed:
            figures[SECONDS.key] = own[SECONDS.key]
        estimates: dict[str, Interval] = {key: mean_interval(values) for key, values in figures.items()}
        for one in self.set_metrics:
            estimates[one.key] = one.of(*measured.vectors(one.extractor))
        return Summary(row, facts, tuple(measured.names), figures, estimates)

    def _among(self, measured: Measured) -> Comparison:
        """All pictures of the set among all its truths, by the recognisers' vectors alone."""
        likeness = {
            one.name: nearest_truths(*measured.vectors(one.name)) for one in self.extractors if one.kind == "recogniser"
        }
        return Comparison([], [], [], likeness)


def nearest_truths(ours: np.ndarray, theirs: np.ndarray) -> Likeness:
    """The likeness of pictures to their truths among all truths, from unit vectors (N, D) each."""
    own, nearest = [np.zeros(0)], [np.zeros(0, bool)]
    for first in range(0, len(ours), BLOCK):
        cosines = ours[first : first + BLOCK].astype(np.float64) @ theirs.T
        places = np.arange(first, first + len(cosines))
        own.append(cosines[places - first, places])
        nearest.append(cosines.argmax(axis=1) == places)
    return Likeness(np.concatenate(own), np.concatenate(nearest))


def measures_of(
    protocol: str, extractors: Sequence[Extractor], *, timed: bool = False, inputs: bool = True
) -> Measures:
    """What a protocol measures, as far as its packages are installed.

    Args:
        protocol: its name.
        extractors: those that are there.
        timed: see `Measures`.
        inputs: whether it has them.
    """
    from limner.evaluate.metric_registry import metrics_of, set_metrics_of

    offered: set[Need] = {"truth", "gallery", "input"} if inputs else {"truth", "gallery"}
    there = {one.name for one in extractors}
    sets = tuple(one for one in set_metrics_of(protocol) if one.extractor in there)
    return Measures(metrics_of(protocol, offered), sets, tuple(extractors), timed)
