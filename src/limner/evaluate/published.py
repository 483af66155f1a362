"""The protocols of the field's test sets: a folder's inputs are restored as aligned crops and measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from limner.degrade.degrade import GRID, apply, truth
from limner.errors import LimnerError
from limner.evaluate.definitions.given_nets import given_nets
from limner.evaluate.evaluate import NAME
from limner.evaluate.known_degradations import DEGRADATION, KnownDegradations
from limner.evaluate.measure import Measures, prepared
from limner.evaluate.metric import Defined, Need
from limner.evaluate.picture_files import picture_of
from limner.evaluate.protocols import Request
from limner.evaluate.published_sets import OpenedSet, PublishedSet
from limner.evaluate.reference_folder import ReferenceFolder
from limner.evaluate.report import METHOD, SECONDS, Report, Row, Sheet
from limner.evaluate.row_report import report_rows
from limner.evaluate.side_by_side import INPUT, Case, Cases, SideBySide, untouched, values, whole
from limner.restorer import Restorer


def run(published: PublishedSet, request: Request, restorers: Mapping[str, Restorer]) -> Report:
    """Measures methods side by side on a set; the folder is looked at before anything runs. A row for the inputs and
    one for each method.

    Args:
        published: the set.
        request: what to measure: its folder, photographs to hold the results against, and nets of the user's.
        restorers: methods and settings by the names of their rows.

    Raises:
        LimnerError: the folder doesn't hold the set; or the set has no truths, and there are no photographs to hold it
            against.
    """
    opened = published.open(request.data, request.limit)
    if not opened.truths and request.real is None:
        raise LimnerError(f"{published.name} has no truths: give photographs to hold the results against by --real.")
    degradations, references = degradations_of(opened), references_of(opened)
    given = given_nets(request.nets)
    ways = {INPUT: untouched, **{name: whole(restorer) for name, restorer in restorers.items()}}
    facts = {"protocol": opened.label, "inputs": opened.source, "faces": len(opened.names)}
    with request.folder() as folder:
        measures = prepared(NAME, offered_by(opened), given, request.real, folder, timed=True)
        if degradations:
            degradations.save(folder / DEGRADATION)
        cases = Cases(opened.names, lambda number: case_of(opened, degradations, references, number))
        rows = SideBySide(cases, ways, measures, folder, elsewhere=request.elsewhere)
        summaries = rows.run(facts, lambda count: request.done(count, len(opened.names)))
        sheet = Sheet(*rows.shown())
        if request.output is not None:
            report_rows(NAME, rows, summaries, restorers, given, opened.label)
    shown = columns_of(published, measures)
    return Report(
        facts,
        [Row({METHOD.key: row, **values(summary)}) for row, summary in summaries.items()],
        (METHOD, *shown, SECONDS),
        note=note_of(opened, shown),
        sheet=sheet,
    )


def offered_by(opened: OpenedSet) -> frozenset[Need]:
    """What metrics can be given."""
    needs: set[Need] = {"input"}
    if opened.truths:
        needs |= {"truth", "gallery"}
    if "references" in opened.published.parts:
        needs.add("references")
    if not opened.inputs:
        needs.add("degradation")
    return frozenset(needs)


def degradations_of(opened: OpenedSet) -> KnownDegradations | None:
    """What makes the inputs of the truths; None where they are given. On DifFace's grid every face has its point, by
    its place among all."""
    if opened.inputs:
        return None
    preset = opened.published.degradation
    points = {name: place for place, name in enumerate(opened.names)} if preset == GRID else {}
    return KnownDegradations(preset, {name: opened.truths[name].name for name in opened.names}, points)


def references_of(opened: OpenedSet) -> dict[str, tuple[Path, ...]]:
    """The persons' other photographs by the pictures' names; empty where the set has none.

    Raises:
        LimnerError: if a picture has none where the set has them.
    """
    if "references" not in opened.published.parts:
        return {}
    return ReferenceFolder.open(opened.folder / "references").of_all(opened.names)


def case_of(
    opened: OpenedSet,
    degradations: KnownDegradations | None,
    references: Mapping[str, tuple[Path, ...]],
    number: int,
) -> Case:
    """One face of the set.

    Raises:
        LimnerError: if a file can't be read.
    """
    name = opened.names[number]
    others = references.get(name, ())
    clean = picture_of(opened.truths[name]) if opened.truths else None
    if degradations is None or clean is None:
        return Case(picture_of(opened.inputs[name]), clean, None, others)
    degradation = degradations.of(name, opened.truths[name].name, clean.shape[1], clean.shape[0])
    return Case(apply(clean, degradation), truth(clean, degradation), degradation, others)


def columns_of(published: PublishedSet, measures: Measures) -> list[Defined]:
    """Those metrics of the set that were measured, in its order."""
    measured = {one.key: one for one in (*measures.metrics, *measures.set_metrics)}
    return [measured[key] for key in published.metrics if key in measured]


def note_of(opened: OpenedSet, shown: list[Defined]) -> str:
    """What a reader of the table must know."""
    there, count = {one.key for one in shown}, len(opened.names)
    missing = [key for key in opened.published.metrics if key not in there]
    notes = []
    if count < opened.published.count:
        notes.append(
            f"These are {count:,} of the {opened.published.count:,} pictures of {opened.published.name}: the figures "
            "can't be held against published ones."
        )
    if missing:
        notes.append(f"Not measured, as a net, a package or --real is missing: {', '.join(missing)}.")
    return " ".join(notes)
