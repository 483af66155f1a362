"""Measures restored pictures against true ones, one after the other, and sums up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from limner.errors import LimnerError
from limner.evaluate.comparison import Comparison, Likeness
from limner.evaluate.definitions.given_nets import GivenNet
from limner.evaluate.extractors import Extractor, standard_extractors
from limner.evaluate.intervals import Interval, mean_interval
from limner.evaluate.measured import Measured
from limner.evaluate.metric import Metric, Need, SetMetric
from limner.evaluate.metric_registry import metrics_of, set_metrics_of
from limner.evaluate.metrics.last_seen import LastSeen
from limner.evaluate.picture_files import files_of, picture_of
from limner.evaluate.picture_sets import Seen
from limner.evaluate.report import SECONDS
from limner.evaluate.summary import Summary

BLOCK = 512
"""Pictures whose nearest truths are looked for at once."""
KEPT = 256
"""Vectors of references that are kept: those of one person are asked for with every method."""


@dataclass(frozen=True)
class Measures:
    """What is measured of each picture, and of the set.

    Attributes:
        metrics: of each picture; those that need a gallery are told from the vectors at the end.
        set_metrics: of the set.
        extractors: what both look through.
        timed: whether the seconds that a picture took are known.
        truths: whether the pictures have any.
        photographs: features of photographs that are not the truths, (M, D), by the extractors' names; for the set
            metrics that need them.
    """

    metrics: tuple[Metric, ...]
    set_metrics: tuple[SetMetric, ...]
    extractors: tuple[Extractor, ...]
    timed: bool = False
    truths: bool = True
    photographs: Mapping[str, np.ndarray] = field(default_factory=dict)

    @cached_property
    def asked(self) -> frozenset[tuple[str, Need]]:
        """What is asked of each extractor by the metrics of pictures that look through it."""
        return frozenset((metric.extractor, need) for metric in self.metrics for need in metric.needs)

    @cached_property
    def recognisers(self) -> tuple[Extractor, ...]:
        """Those of the extractors that tell identity."""
        return tuple(one for one in self.extractors if one.kind == "recogniser")

    def open(self, folder: Path) -> Measured:
        """The table that figures and vectors are added to; it goes on with one that is there.

        Raises:
            LimnerError: if the folder holds other figures.
        """
        keys = [metric.key for metric in self.metrics if "gallery" not in metric.needs]
        widths = {extractor.name: extractor.width for extractor in self.extractors}
        return Measured.open(folder, [*keys, *([SECONDS.key] if self.timed else [])], widths, 2 if self.truths else 1)

    def add(self, measured: Measured, seen: Seen, seconds: float | None = None) -> None:
        """Measures one picture more, see `of`, into what `open` gave."""
        measured.add(seen.name, *self.of(seen, seconds))

    def of(self, seen: Seen, seconds: float | None = None) -> tuple[dict[str, float], dict[str, list[np.ndarray]]]:
        """Measures a picture.

        Args:
            seen: it and what belongs to it.
            seconds: that it took; if `timed`.

        Returns:
            Its figures by their keys, and the extractors' vectors, see `Measured.add`.
        """
        vectors = {one.name: self._vectors(one, seen) for one in self.extractors}
        comparison = Comparison(
            [seen.picture],
            [] if seen.truth is None else [seen.truth],
            [] if seen.input is None else [seen.input],
            {name: Likeness(np.array([np.dot(*pair)])) for name, pair in vectors.items() if len(pair) == 2},
            *self._likeness_to_others(seen, vectors),
            [] if seen.degradation is None else [seen.degradation],
            [] if seen.points is None else [seen.points],
        )
        figures = {one.key: float(one.of(comparison)[0]) for one in self.metrics if "gallery" not in one.needs}
        if seconds is not None:
            figures[SECONDS.key] = seconds
        return figures, vectors

    def _vectors(self, extractor: Extractor, seen: Seen) -> list[np.ndarray]:
        """Of the picture and, where there is one, its truth, (D,) each."""
        own = extractor.of([seen.picture])[0]
        return [own] if seen.truth is None else [own, self._of_truth[extractor.name](seen.truth)]

    @cached_property
    def _of_truth(self) -> dict[str, LastSeen[np.ndarray]]:
        """From a truth to its vector, by the extractors' names: rows that are measured side by side share it."""
        return {one.name: LastSeen(lambda truth, one=one: one.of([truth])[0]) for one in self.extractors}

    def _likeness_to_others(
        self, seen: Seen, vectors: Mapping[str, Sequence[np.ndarray]]
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Cosines to the input and to the person's other photographs, by the recognisers' names; as far as asked."""
        to_input: dict[str, np.ndarray] = {}
        to_person: dict[str, np.ndarray] = {}
        for one in self.recognisers:
            own = vectors[one.name][0]
            if (one.name, "input") in self.asked and seen.input is not None:
                to_input[one.name] = one.of([seen.input]) @ own
            if (one.name, "references") in self.asked and seen.references:
                others = np.stack([self._of_file(one, path) for path in seen.references])
                to_person[one.name] = np.array([(others @ own).mean()])
        return to_input, to_person

    @cached_property
    def _of_file(self) -> Callable[[Extractor, Path], np.ndarray]:
        """From a recogniser and a file to its vector; those used last are kept."""
        return lru_cache(KEPT)(lambda extractor, path: extractor.of([picture_of(path)])[0])

    def summary(self, row: str, measured: Measured, facts: Mapping[str, object]) -> Summary:
        """The estimates of a set that is measured. Where a picture has no figure of a metric (NaN), as no landmarks
        where no face is found, the estimate is that of the others, and the fact `without_figure` counts them.

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
        estimates: dict[str, Interval] = {}
        without: dict[str, int] = {}
        for key, values in figures.items():
            there = values[~np.isnan(values)]
            estimates[key] = mean_interval(there)
            without |= {key: len(values) - len(there)} if len(there) < len(values) else {}
        for one in self.set_metrics:
            estimates[one.key] = self._of_set(one, measured)
        facts = {**facts, **({"without_figure": without} if without else {})}
        return Summary(row, facts, tuple(measured.names), figures, estimates)

    def _of_set(self, metric: SetMetric, measured: Measured) -> Interval:
        if "photographs" in metric.needs:
            return metric.of(measured.own_vectors(metric.extractor), self.photographs[metric.extractor])
        return metric.of(*measured.vectors(metric.extractor))

    def _among(self, measured: Measured) -> Comparison:
        """All pictures of the set among all its truths, by the recognisers' vectors alone."""
        return Comparison(
            [], [], [], {one.name: nearest_truths(*measured.vectors(one.name)) for one in self.recognisers}
        )


def nearest_truths(ours: np.ndarray, theirs: np.ndarray) -> Likeness:
    """The likeness of pictures to their truths among all truths, from unit vectors (N, D) each."""
    own, nearest = [np.zeros(0)], [np.zeros(0, bool)]
    for first in range(0, len(ours), BLOCK):
        cosines = ours[first : first + BLOCK].astype(np.float64) @ theirs.T
        places = np.arange(first, first + len(cosines))
        own.append(cosines[places - first, places])
        nearest.append(cosines.argmax(axis=1) == places)
    return Likeness(np.concatenate(own), np.concatenate(nearest))


def features_of_folder(folder: Path, extractors: Sequence[Extractor], kept: Path) -> dict[str, np.ndarray]:
    """The features of all photographs in a folder, (M, D) by the extractors' names.

    Args:
        folder: of the photographs.
        extractors: those of features among them look.
        kept: folder where the vectors are kept; a run that was killed goes on there.

    Raises:
        LimnerError: see `files_of`; a file can't be read; or what is kept is of another folder.
    """
    looking = [one for one in extractors if one.kind == "features"]
    measured = Measured.open(kept, [], {one.name: one.width for one in looking}, seen=1)
    files, done = files_of(folder), frozenset(measured.names)
    if strangers := done - files.keys():
        raise LimnerError(f"{kept} holds vectors of {min(strangers)}, which {folder} lacks: choose another --output.")
    for name, path in files.items():
        if name not in done:
            picture = picture_of(path)
            measured.add(name, {}, {one.name: [one.of([picture])[0]] for one in looking})
    return {one.name: measured.own_vectors(one.name) for one in looking}


def measures_of(
    protocol: str,
    extractors: Sequence[Extractor],
    offered: AbstractSet[Need],
    given: GivenNet | None = None,
    *,
    timed: bool = False,
) -> Measures:
    """What a protocol measures, as far as what its metrics need is there.

    Args:
        protocol: its name.
        extractors: those that are there; those that no metric looks through are left out.
        offered: see `metrics_of`.
        given: of the user's.
        timed: see `Measures`.
    """
    given = given or GivenNet()
    everyone = [*extractors, *given.extractors]
    there = {"", *(one.name for one in everyone)}
    pictures = (*metrics_of(protocol, offered), *(one for one in given.metrics if one.needs <= offered))
    sets = (*set_metrics_of(protocol, offered), *(one for one in given.set_metrics if one.needs <= offered))
    metrics = tuple(one for one in pictures if one.extractor in there)
    set_metrics = tuple(one for one in sets if one.extractor in there)
    used = {one.extractor for one in (*metrics, *set_metrics)}
    looking = tuple(one for one in everyone if one.name in used)
    return Measures(metrics, set_metrics, looking, timed, "truth" in offered)


def prepared(
    protocol: str,
    offered: AbstractSet[Need],
    given: GivenNet,
    photographs: Path | None,
    folder: Path,
    *,
    timed: bool = False,
) -> Measures:
    """What a protocol measures with all nets that are there, photographs that are not the truths already looked at.

    Args:
        protocol, offered, given, timed: see `measures_of`.
        photographs: folder of them, or None.
        folder: in which `real` keeps their vectors.

    Raises:
        LimnerError: see `features_of_folder`.
    """
    if photographs is None:
        return measures_of(protocol, standard_extractors(), offered, given, timed=timed)
    measures = measures_of(protocol, standard_extractors(), {*offered, "photographs"}, given, timed=timed)
    return replace(measures, photographs=features_of_folder(photographs, measures.extractors, folder / "real"))
