"""All that a report tells, which its two forms, `report.html` and `report.md`, show each in its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from limner.evaluate.metric import Defined
from limner.evaluate.report_files.environment import command, environment
from limner.evaluate.report_files.evaluation import Evaluation
from limner.evaluate.report_files.pictures import Album, album_of
from limner.evaluate.report_files.table import BELOW, MARKED, TableRow, table_of

ENOUGH = 2_000
"""Pictures below which distances of sets are biased so that they compare with no other set's."""

DIRECTIONS = {True: "larger is better", False: "smaller is better", None: "neither end is better"}


@dataclass(frozen=True)
class Account:
    """What a report tells.

    Attributes:
        evaluation: what was measured.
        table: its rows.
        album: the pictures that are shown.
        environment: label and text of what it was measured with.
        command: that measured it.
    """

    evaluation: Evaluation
    table: Sequence[TableRow]
    album: Album
    environment: Sequence[tuple[str, str]]
    command: str

    @classmethod
    def of(cls, evaluation: Evaluation) -> Account:
        """What is to be told of an evaluation that this program just made.

        Raises:
            LimnerError: if a picture can't be read any more.
        """
        return cls(evaluation, table_of(evaluation), album_of(evaluation), environment(), command())

    @property
    def title(self) -> str:
        """Of the report."""
        protocol = self.evaluation.protocol
        return self.evaluation.title or (f"limner {protocol}" if protocol == "evaluate" else protocol)

    @property
    def marks(self) -> str:
        """What the marks and intervals of the table mean."""
        return f"{MARKED} {BELOW}" if len(self.table) > 1 else BELOW

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Label and text of what all rows have in common."""
        first, *others = [summary.facts for summary in self.evaluation.summaries]
        common = {key: value for key, value in first.items() if all(one.get(key) == value for one in others)}
        return [(key, str(value)) for key, value in common.items() if isinstance(value, str | int | float)]

    @property
    def notes(self) -> list[str]:
        """What a reader must know before believing a figure, a sentence each."""
        notes, count = [], self.evaluation.count
        if count < ENOUGH and any(self.evaluation.has(key) for key in ("frechet", "kernel")):
            notes.append(
                f"Fréchet and kernel distances are of {count:,} pictures: below {ENOUGH:,} compare them within this "
                "table only."
            )
        if absent := self.evaluation.missing:
            notes.append(
                "Not measured, for want of a package or of inputs: "
                + ", ".join(
                    one.heading if one.can_be_measured else f"{one.heading} (needs {one.package})" for one in absent
                )
                + "."
            )
        return notes

    def definitions(self) -> list[tuple[Defined, str, str, str]]:
        """Every metric that was measured, which end is better, its variant and the licence of its net."""
        return [
            (one, DIRECTIONS[one.larger_is_better], one.variant or "as defined", one.licence or "no weights of its own")
            for one in self.evaluation.metrics
        ]
