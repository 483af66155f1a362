"""What a report tells of: the rows that were measured, the pictures behind them, and what they were made with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from limner.evaluate.extractors import Extractor
from limner.evaluate.metric import Defined
from limner.evaluate.metric_registry import defined_in
from limner.evaluate.picture_sets import Seen
from limner.evaluate.report import SECONDS, Column
from limner.evaluate.summary import Summary


@dataclass(frozen=True)
class UsedWeights:
    """Weights that took part, in restoring or in measuring.

    Attributes:
        name: of the weights, or which variant of a net.
        purpose: what they were used for.
        licence: of the weights.
    """

    name: str
    purpose: str
    licence: str


@dataclass(frozen=True)
class Evaluation:
    """What was measured.

    Attributes:
        protocol: which says what metrics there are.
        summaries: one a row of the table.
        see: from the names of a row and of a picture to the pictures themselves; raises `LimnerError` where a file is
            gone.
        weights: all that took part.
        bounds: rows that were shown the truth, such as a ceiling; they are never marked as best.
        given: metrics through nets of the user's, which no protocol names.
        title: what was measured; by default the protocol's name.
    """

    protocol: str
    summaries: Sequence[Summary]
    see: Callable[[str, str], Seen]
    weights: Sequence[UsedWeights] = ()
    bounds: frozenset[str] = frozenset()
    given: Sequence[Defined] = ()
    title: str = ""

    def has(self, key: str) -> bool:
        """Whether a row has an estimate under that key."""
        return any(key in summary.estimates for summary in self.summaries)

    @property
    def metrics(self) -> tuple[Defined, ...]:
        """Those that were measured, in the order of the registry."""
        return tuple(one for one in (*defined_in(self.protocol), *self.given) if self.has(one.key))

    @property
    def missing(self) -> tuple[Defined, ...]:
        """Metrics of the protocol that were not measured, for want of a package or of inputs."""
        return tuple(one for one in defined_in(self.protocol) if not self.has(one.key))

    @property
    def columns(self) -> tuple[Column, ...]:
        """Of the table: the brief metrics, and the seconds where they are known."""
        return (*(one for one in self.metrics if one.brief), *([SECONDS] if self.has(SECONDS.key) else []))

    @property
    def count(self) -> int:
        """Pictures of the largest row."""
        return max((len(summary.names) for summary in self.summaries), default=0)


def weights_of_extractors(extractors: Iterable[Extractor]) -> list[UsedWeights]:
    """The nets that measured."""
    return [UsedWeights(one.variant, f"measuring: {one.kind} {one.name}", one.licence) for one in extractors]
