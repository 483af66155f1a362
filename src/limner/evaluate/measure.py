"""Measures restored pictures against true ones, one after the other, and sums up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from limner.evaluate.comparison import Comparison, Likeness
from limner.evaluate.extractors import Extractor
from limner.evaluate.intervals import Interval, mean_interval
from limner.evaluate.measured import Measured
from limner.evaluate.metric_registry import Metric, SetMetric
from limner.evaluate.picture_sets import PictureSet, Seen
from limner.evaluate.summary import Summary

BLOCK = 512
"""Pictures whose nearest truths are looked for at once."""


def measure(
    pictures: PictureSet,
    folder: Path,
    metrics: Sequence[Metric],
    extractors: Sequence[Extractor],
    done: Callable[[int, int], None] | None = None,
) -> Measured:
    """The figures and vectors of every picture; those that `folder` holds already are not measured again.

    Args:
        pictures: restored and true.
        folder: for the figures and vectors.
        metrics: of each picture; those that need a gallery are left to `summarised`.
        extractors: what they and the metrics of the set look through.
        done: called with (pictures done, of how many).

    Raises:
        LimnerError: if a picture can't be read or doesn't fit its truth, or the folder holds other figures.
    """
    own = [metric for metric in metrics if "gallery" not in metric.needs]
    widths = {extractor.name: extractor.width for extractor in extractors}
    measured = Measured.open(folder, [metric.key for metric in own], widths)
    for seen in pictures.each(frozenset(measured.names)):
        vectors = {one.name: tuple(one.of([seen.picture, seen.truth])) for one in extractors}
        comparison = beside(seen, vectors)
        measured.add(seen.name, {metric.key: float(metric.of(comparison)[0]) for metric in own}, vectors)
        if done:
            done(len(measured.names), len(pictures))
    return measured


def beside(seen: Seen, vectors: Mapping[str, tuple[np.ndarray, ...]]) -> Comparison:
    """One picture as metrics look at it; likeness is the cosine of its vectors to its truth's."""
    likeness = {name: Likeness(np.array([np.dot(*pair)])) for name, pair in vectors.items()}
    inputs = [] if seen.input is None else [seen.input]
    return Comparison([seen.picture], [seen.truth], inputs, likeness)


def summarised(
    row: str,
    measured: Measured,
    metrics: Sequence[Metric],
    set_metrics: Sequence[SetMetric],
    facts: Mapping[str, object],
) -> Summary:
    """The estimates of a set that is measured.

    Args:
        row: what it is called.
        measured: its figures and vectors.
        metrics: of each picture, also those that need a gallery: all truths of the set.
        set_metrics: of the set as a whole.
        facts: see `Summary`.
    """
    figures = dict(measured.figures())
    for metric in metrics:
        if "gallery" in metric.needs:
            figures[metric.key] = metric.of(among(measured)).astype(float)
    ordered = {metric.key: metric.factor * figures[metric.key] for metric in metrics}
    estimates: dict[str, Interval] = {key: mean_interval(values) for key, values in ordered.items()}
    for one in set_metrics:
        estimates[one.key] = one.of(*measured.vectors(one.extractor))
    return Summary(row, facts, tuple(measured.names), ordered, estimates)


def among(measured: Measured) -> Comparison:
    """All pictures of the set among all its truths, by their vectors alone."""
    likeness = {}
    for name in measured.widths:
        ours, theirs = measured.vectors(name)
        own, nearest = [], []
        for first in range(0, len(ours), BLOCK):
            cosines = ours[first : first + BLOCK] @ theirs.T
            places = np.arange(first, first + len(cosines))
            own.append(cosines[places - first, places])
            nearest.append(cosines.argmax(axis=1) == places)
        likeness[name] = Likeness(np.concatenate(own), np.concatenate(nearest))
    return Comparison([], [], [], likeness)
