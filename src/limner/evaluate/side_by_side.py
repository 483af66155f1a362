"""Faces restored in several ways, kept on disk and measured one after the other: what `limner-test`, `harm` and the
published sets have in common.

A row is a way; each has a folder of its pictures, `pictures.csv`, its vectors and `summary.json`. The row `input` holds
what was restored, and `truth` beside it what should have come back, so that other tools can be run on the same faces. A
run that was killed goes on where it was, and memory doesn't grow with the faces.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from limner.degrade.degrade import Degradation
from limner.errors import LimnerError
from limner.evaluate.evaluate import SUMMARY, measured_with
from limner.evaluate.measure import Measures
from limner.evaluate.measured import Measured
from limner.evaluate.picture_files import picture_of
from limner.evaluate.picture_sets import Seen
from limner.evaluate.shared_out import Elsewhere, Gone, MeasuredFace, Undone
from limner.evaluate.summary import Summary
from limner.faces.align import crop, stretch
from limner.faces.put_back import PutBack
from limner.faces.references import References
from limner.faces.tone import keep_tone, tone
from limner.photo.photo import Photo
from limner.photo.write import save_png
from limner.restorer import Restorer

INPUT, TRUTH = "input", "truth"
SHOWN = 8
"""Faces on the contact sheet."""
Shown = TypeVar("Shown")


@dataclass(frozen=True)
class Case:
    """One face that is restored, and what belongs to it, (S, S, 3) uint8 each.

    Attributes:
        input: the degraded face.
        truth: what should come back; None where nobody knows.
        degradation: what made the input of it, where that is known.
        references: files of the person's other photographs, aligned crops.
    """

    input: np.ndarray
    truth: np.ndarray | None = None
    degradation: Degradation | None = None
    references: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Cases:
    """All faces, by name, each made when it is its turn.

    Attributes:
        names: of the faces, in their order.
        make: from a face's place to it.
    """

    names: Sequence[str]
    make: Callable[[int], Case]


Way = Callable[[Case, int], np.ndarray]
"""From a face and its place among all to a picture of the input's size, (S, S, 3) uint8."""


@dataclass(frozen=True)
class SideBySide:
    """Ways over the same faces.

    Attributes:
        cases: the faces.
        ways: by the names of their rows, `input` first.
        measures: of every row, timed.
        folder: for all that is kept.
        warm: rows whose nets have run before, which is what their first run pays for; it grows.
        elsewhere: others that restore and measure in this process's place.
    """

    cases: Cases
    ways: Mapping[str, Way]
    measures: Measures
    folder: Path
    warm: set[str] = field(default_factory=set)
    elsewhere: Elsewhere | None = None

    def run(self, facts: Mapping[str, object], done: Callable[[int], None]) -> dict[str, Summary]:
        """Restores and measures all faces in every way that they haven't gone yet.

        Args:
            facts: see `Summary`.
            done: called with the number of faces done.

        Returns:
            A summary for each row, which is saved, too.

        Raises:
            LimnerError: if the folder holds figures of other faces or metrics.
        """
        tables = {row: self.measures.open(self.of(row)) for row in self.ways}
        for table in tables.values():
            table.check_names(self.cases.names)
        (self.folder / TRUTH).mkdir(parents=True, exist_ok=True)
        undone = [
            Undone(number, tuple(row for row, table in tables.items() if name not in table.names))
            for number, name in enumerate(self.cases.names)
        ]
        undone = [face for face in undone if face.rows]
        with closing(self._each(undone)) as measured:
            for face, found in zip(undone, measured, strict=True):
                self._keep(tables, self.cases.names[face.number], found)
                done(face.number + 1)
        known = {**facts, **measured_with(self.measures)}
        summaries = {row: self.measures.summary(row, table, known) for row, table in tables.items()}
        for row, summary in summaries.items():
            summary.save(self.of(row) / SUMMARY)
        return summaries

    def of(self, row: str) -> Path:
        """The folder of a row."""
        return self.folder / file_name(row)

    def pictures(self, name: str) -> list[np.ndarray]:
        """What became of one face in each way, and its truth if it has one, as they are on disk."""
        truth = self.folder / TRUTH / f"{name}.png"
        files = [*(self.of(row) / f"{name}.png" for row in self.ways), *([truth] if truth.is_file() else [])]
        return [picture_of(file) for file in files]

    def shown(self) -> tuple[list[list[np.ndarray]], list[str]]:
        """The pictures of some faces, spread over all, and their headings."""
        rows = [self.pictures(name) for name in spread(self.cases.names, SHOWN)]
        headings = [*self.ways, TRUTH]
        return rows, headings[: len(rows[0])]

    def one(self, face: Undone) -> MeasuredFace:
        """Restores and measures one face in all ways that are left."""
        case = self.cases.make(face.number)
        gone = dict[str, Gone]()
        for row in face.rows:
            if row not in self.warm:
                self.ways[row](case, face.number)
                self.warm.add(row)
            started = time.perf_counter()
            picture = self.ways[row](case, face.number)
            seconds = time.perf_counter() - started
            name = self.cases.names[face.number]
            seen = Seen(name, picture, case.truth, case.input, case.degradation, case.references)
            gone[row] = Gone(picture, *self.measures.of(seen, seconds))
        return MeasuredFace(case.truth, gone)

    def _each(self, undone: Sequence[Undone]) -> Generator[MeasuredFace]:
        if self.elsewhere and undone:
            yield from self.elsewhere(self, undone)
        else:
            yield from map(self.one, undone)

    def _keep(self, tables: Mapping[str, Measured], name: str, face: MeasuredFace) -> None:
        """Keeps what became of a face: pictures beside their figures."""
        if face.truth is not None:
            save_png(self.folder / TRUTH / f"{name}.png", face.truth)
        for row, gone in face.ways.items():
            save_png(tables[row].folder / f"{name}.png", gone.picture)
            tables[row].add(name, gone.figures, gone.vectors)


def named(files: Sequence[str]) -> dict[str, str]:
    """Files by their names without folder and suffix, under which pictures are kept.

    Raises:
        LimnerError: if two have one name.
    """
    names = {Path(file).stem: file for file in files}
    if len(names) < len(files):
        twice = next(file for file in files if names[Path(file).stem] != file)
        raise LimnerError(f"{twice} and {names[Path(twice).stem]} have one name: measure one of them.")
    return names


def untouched(case: Case, number: int) -> np.ndarray:
    """The way of the row `input`."""
    return case.input


def whole(restorer: Restorer) -> Way:
    """A method with its settings on an aligned crop, and its result joined with what it was given, as users get it.

    The crop is brought to the weights' size, and the result back to the crop's. References go to methods that can use
    them. The seed of a face's noise is its place.
    """
    settings, size = replace(restorer.settings, aligned=True), restorer.size
    reads_references = restorer.method.pipeline.paper.info.references

    def joined(case: Case, number: int) -> np.ndarray:
        lq, known = case.input, None
        matrix = stretch(lq.shape[1], lq.shape[0], size)
        before = crop(lq, matrix, size)
        if reads_references and case.references:
            own = replace(settings, references=case.references)
            known = References.read(own, size, restorer.compute.device)
        (after,) = restorer.restore_crops([before], [number], references=[known] if known else ())
        back, tint = PutBack(Photo(lq, "PNG"), lq, settings, restorer.joiner), tone(lq)
        toned = keep_tone(before.astype(np.float32) / 255, after.samples[0], tint)
        back.face([toned], matrix, tint, [0])
        return back.canvases[0]

    return joined


def values(summary: Summary) -> dict[str, float]:
    """The estimates alone, by key."""
    return {key: one.value for key, one in summary.estimates.items()}


def spread(things: Sequence[Shown], most: int) -> list[Shown]:
    """At most so many of them, evenly spread."""
    picked = np.linspace(0, len(things) - 1, min(most, len(things))).round().astype(int)
    return [things[place] for place in picked]


def file_name(row: str) -> str:
    """A row's name as that of a folder: `ldbfr@25` stays, `stage A` becomes `stage-a`."""
    return re.sub(r"[^\w@=.+-]+", "-", row.lower())
