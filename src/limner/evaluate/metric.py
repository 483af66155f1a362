"""What a metric is: how it is computed, what it needs, and what it says of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

import numpy as np

from limner.evaluate.comparison import Comparison
from limner.evaluate.intervals import Interval
from limner.evaluate.report import Column

Need = Literal["truth", "input", "gallery", "judge", "degradation", "references", "points", "photographs"]
"""What a metric needs besides the restored face: its truth, what it was restored from, all truths of the run, a
recogniser of the user's that took no part, what spoiled the truth, other photographs of the person, the true landmarks,
or a set of photographs that are not the truths."""

Figures = Callable[[Comparison], np.ndarray]
"""From N faces to a figure for each, (N,)."""


@dataclass(frozen=True, kw_only=True)
class Defined(Column):
    """What every metric says of itself.

    Attributes:
        definition: what it is, in a line.
        range: of its values.
        larger_is_better: None where neither end is: 1 is best of a ratio.
        variant: which of several ways it is computed; figures of different variants can't be compared.
        licence: of the net's weights, if one takes part.
        package: the importable package that it needs beyond limner's own, from the extra `measure`.
        extractor: name of the recogniser or net of features through which it looks, if one takes part.
        protocols: names of those that show it of themselves; in none of them two metrics share a key.
        brief: whether it stands in tables of the terminal, or in JSON and reports alone.
    """

    definition: str
    range: str
    larger_is_better: bool | None
    variant: str = ""
    licence: str = ""
    package: str = ""
    extractor: str = ""
    protocols: tuple[str, ...] = ()
    brief: bool = True

    @property
    def can_be_measured(self) -> bool:
        """Whether the package that it needs is there."""
        return not self.package or find_spec(self.package) is not None


@dataclass(frozen=True, kw_only=True)
class Metric(Defined):
    """A metric of single pictures.

    Attributes:
        of: computes it.
        needs: what it is computed from besides the restored faces.
        factor: what figures are multiplied by, to be read more easily.
    """

    of: Figures
    needs: frozenset[Need]
    factor: float = 1.0

    def mean(self, figures: np.ndarray) -> float:
        """The mean of figures (N,) as it is shown."""
        return self.factor * float(np.mean(figures))


@dataclass(frozen=True, kw_only=True)
class SetMetric(Defined):
    """A metric of a whole set of pictures.

    Attributes:
        of: from the extractor's vectors of the restored pictures and of their truths, (N, D) each, to the estimate; or
            of photographs that are not the truths, (M, D).
        needs: whether it is the truths or photographs that the restored pictures are held against.
    """

    of: Callable[[np.ndarray, np.ndarray], Interval]
    needs: frozenset[Need]


def each(measure: Callable[[np.ndarray, np.ndarray], float]) -> Figures:
    """A metric that is measured on each restored face and its truth by itself.

    Args:
        measure: from two pictures, (S, S, 3) uint8, to a figure.
    """
    return lambda seen: np.array([measure(a, b) for a, b in zip(seen.pictures, seen.truths, strict=True)])


def likeness(recogniser: str) -> Figures:
    """The metric of likeness: cosine similarity of each restored face to its truth, -1 to 1.

    Args:
        recogniser: its name among those of the comparison.
    """
    return lambda seen: seen.likeness[recogniser].own


def input_likeness(recogniser: str) -> Figures:
    """The metric of likeness to the input: cosine similarity, -1 to 1.

    Args:
        recogniser: its name among those of the comparison.
    """
    return lambda seen: seen.input_likeness[recogniser]


def person_likeness(recogniser: str) -> Figures:
    """The metric of likeness to other photographs of the person: the mean of cosine similarities, -1 to 1.

    Args:
        recogniser: its name among those of the comparison.
    """
    return lambda seen: seen.person_likeness[recogniser]


def rank1(recogniser: str) -> Figures:
    """The metric of identification: whether the truth nearest to a restored face, of all faces measured, is its own (1
    or 0); the mean is their share.

    Args:
        recogniser: its name among those of the comparison.

    Raises:
        ValueError: when it is computed, if the faces stand in no gallery.
    """

    def nearest(seen: Comparison) -> np.ndarray:
        found = seen.likeness[recogniser].nearest
        if found is None:
            raise ValueError("Rank 1 needs a gallery.")
        return found

    return nearest


def degrees(recogniser: str) -> Figures:
    """The angle between each restored face's vector and its truth's, in degrees.

    Args:
        recogniser: its name among those of the comparison.
    """
    return lambda seen: np.degrees(np.arccos(np.clip(seen.likeness[recogniser].own, -1, 1)))
