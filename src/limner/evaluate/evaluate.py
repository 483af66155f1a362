"""Measures a folder of anybody's restored pictures against the true ones."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from limner.evaluate.extractors import standard_extractors
from limner.evaluate.measure import measures_of
from limner.evaluate.picture_sets import PictureSet
from limner.evaluate.report_files.evaluation import Evaluation, weights_of_extractors
from limner.evaluate.report_files.write import write_report
from limner.evaluate.summary import Summary
from limner.version import __version__

NAME = "evaluate"
SUMMARY = "summary.json"


def evaluate_folder(
    restored: Path,
    against: Path,
    inputs: Path | None,
    output: Path | None,
    done: Callable[[int, int], None] | None = None,
) -> Summary:
    """Measures the pictures of a folder; a run that was killed goes on where it was.

    Args:
        restored: folder of the pictures.
        against: folder of what they should be, of the same names and sizes.
        inputs: folder of what they were restored from, or None.
        output: folder for `pictures.csv`, the vectors, `summary.json`, `report.html` and `report.md`; None keeps
            nothing.
        done: called with (pictures done, of how many).

    Raises:
        LimnerError: see `PictureSet.open`; a picture can't be read or has another size than its truth; or the output
            holds figures of other pictures or metrics.
    """
    pictures = PictureSet.open(restored, against, inputs)
    measures = measures_of(NAME, standard_extractors(), inputs=inputs is not None)
    with ExitStack() as stack:
        folder = output or Path(stack.enter_context(TemporaryDirectory()))
        measured = measures.open(folder)
        measured.check_names(pictures.names)
        for seen in pictures.each(frozenset(measured.names)):
            measures.add(measured, seen)
            if done:
                done(len(measured.names), len(pictures))
        facts = {
            "restored": str(restored),
            "against": str(against),
            "pictures": len(pictures),
            "limner": __version__,
            "extractors": {one.name: one.variant for one in measures.extractors},
        }
        summary = measures.summary(restored.name, measured, facts)
        summary.save(folder / SUMMARY)
    if output:
        weights = weights_of_extractors(measures.extractors)
        write_report(output, Evaluation(NAME, [summary], lambda row, name: pictures.one(name), weights))
    return summary
