"""Measures a folder of anybody's restored pictures against the true ones, against photographs, and against what else is
known of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from limner.errors import LimnerError
from limner.evaluate.definitions.given_nets import given_nets
from limner.evaluate.known_degradations import KnownDegradations
from limner.evaluate.landmark_points import GivenPoints
from limner.evaluate.measure import Measures, prepared
from limner.evaluate.metric import Defined
from limner.evaluate.picture_sets import PictureSet
from limner.evaluate.report_files.evaluation import Evaluation, weights_of_extractors
from limner.evaluate.report_files.write import write_report
from limner.evaluate.summary import Summary
from limner.version import __version__

NAME = "evaluate"
SUMMARY = "summary.json"


@dataclass(frozen=True)
class Asked:
    """What is to be measured, and what is known of it.

    Attributes:
        restored: folder of the pictures.
        against: folder of what they should be, of the same names and sizes.
        real: folder of photographs that are not the truths, against which the distribution is held.
        inputs: folder of what the pictures were restored from.
        references: folder of other photographs of the persons, aligned as the pictures are; see `ReferenceFolder`.
        degradation: what made the inputs of the truths: see `KnownDegradations.read`; with `inputs`.
        landmarks: tables of points: see `GivenPoints.read`.
        nets: of the user's: see `given_nets`.

    Raises:
        LimnerError: if there is nothing to hold the pictures against, or a degradation without inputs.
    """

    restored: Path
    against: Path | None = None
    real: Path | None = None
    inputs: Path | None = None
    references: Path | None = None
    degradation: str | None = None
    landmarks: tuple[Path, ...] = ()
    nets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.against is None and self.real is None and self.inputs is None:
            raise LimnerError(
                "There is nothing to measure the pictures by: give --against TRUTH, --real PHOTOGRAPHS or --inputs."
            )
        if self.degradation is not None and self.inputs is None:
            raise LimnerError("--degradation tells how the inputs were made: give them by --inputs.")

    def pictures(self) -> PictureSet:
        """The pictures with what is known of each.

        Raises:
            LimnerError: see `PictureSet.open`; or a table or a degradation can't be read.
        """
        return PictureSet.open(
            self.restored,
            self.against,
            self.inputs,
            self.references,
            None if self.degradation is None else KnownDegradations.read(self.degradation),
            GivenPoints.read(list(self.landmarks)) if self.landmarks else None,
        )

    def facts(self) -> dict[str, object]:
        """The folders and files, as far as they are given."""
        folders = {
            "restored": self.restored,
            "against": self.against,
            "real": self.real,
            "inputs": self.inputs,
            "references": self.references,
            "degradation": self.degradation,
        }
        facts: dict[str, object] = {key: str(value) for key, value in folders.items() if value is not None}
        return facts | ({"landmarks": [str(file) for file in self.landmarks]} if self.landmarks else {})


def evaluate_folder(
    what: Asked, output: Path | None, done: Callable[[int, int], None] | None = None
) -> tuple[Summary, tuple[Defined, ...]]:
    """Measures the pictures of a folder; a run that was killed goes on where it was.

    Args:
        what: is to be measured.
        output: folder for `pictures.csv`, the vectors, `summary.json`, `report.html` and `report.md`; None keeps
            nothing.
        done: called with (pictures done, of how many).

    Returns:
        What came out, and the metrics that were measured.

    Raises:
        LimnerError: see `Asked.pictures`; a picture can't be read or has another size than its truth; or the output
            holds figures of other pictures or metrics.
        WeightsError: a net of the user's isn't what its name promises.
    """
    pictures = what.pictures()
    given = given_nets(what.nets)
    with ExitStack() as stack:
        folder = output or Path(stack.enter_context(TemporaryDirectory()))
        measures = prepared(NAME, pictures.offered, given, what.real, folder)
        measured = measures.open(folder)
        measured.check_names(pictures.names)
        for seen in pictures.each(frozenset(measured.names)):
            measures.add(measured, seen)
            if done:
                done(len(measured.names), len(pictures))
        facts = {**what.facts(), "pictures": len(pictures), **measured_with(measures)}
        summary = measures.summary(what.restored.name, measured, facts)
        summary.save(folder / SUMMARY)
    if output:
        weights = weights_of_extractors(measures.extractors)
        more = (*given.metrics, *given.set_metrics)
        write_report(output, Evaluation(NAME, [summary], lambda row, name: pictures.one(name), weights, given=more))
    return summary, (*measures.metrics, *measures.set_metrics)


def measured_with(measures: Measures) -> dict[str, object]:
    """The facts that figures hang on: the version, the nets and the variants."""
    defined = (*measures.metrics, *measures.set_metrics)
    facts: dict[str, object] = {
        "limner": __version__,
        "extractors": {one.name: one.variant for one in measures.extractors},
        "variants": {one.key: one.variant for one in defined if one.variant},
    }
    if measures.photographs:
        facts["photographs"] = len(next(iter(measures.photographs.values())))
    return facts
