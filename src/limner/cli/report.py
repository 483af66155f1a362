"""What `limner restore` tells of its photographs: sentences for people, JSON for machines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from limner.cli import output as ui
from limner.errors import LimnerError

if TYPE_CHECKING:
    from pathlib import Path

    from limner.folder.run import Outcome
    from limner.folder.targets import Target
    from limner.restoration import Restoration
    from limner.settings import Settings


def are(count: int, what: str = "photo") -> str:
    """`1 photo is`, `2 photos are`."""
    return f"1 {what} is" if count == 1 else f"{count} {what}s are"


def no_face(below: int, left_alone: bool = False) -> str:
    """That no face was restored.

    Args:
        below: how many were found, but are smaller or less sure than was asked for.
        left_alone: whether some were, as profiles.
    """
    if below:
        return f"{are(below, 'face')} below --min-face or --min-score"
    return "no face restored" if left_alone else "no face found"


def outcome_as_json(outcome: Outcome, settings: Settings, weights: str) -> dict[str, object]:
    """What became of a photo, as `limner restore --json` prints it; of a result that was there already, what that says
    of itself.

    Args:
        outcome: of the photo.
        settings: of the run.
        weights: their name.
    """
    if outcome.error:
        return {"photo": str(outcome.source), "error": outcome.error}
    names = [str(path) for path in outcome.outputs]
    done, kept = outcome.restoration, outcome.kept
    made = kept.provenance if kept else done.provenance if done else None
    of_run = done is not None
    return {
        "photo": str(outcome.source),
        "faces": [face.as_json() for face in done.faces] if done else [],
        "left_alone": [face.as_json() for face in done.left_alone] if done else [],
        "referenced": done.referenced if done else None,
        "people": [ui.person_as_json(one) for one in done.people] if done else [],
        "output": names[0] if len(names) == 1 else names,
        "method": settings.method if of_run else made and made.method,
        "weights": weights if of_run else made and made.weights,
        "seed": settings.seed if of_run else made and made.seed,
        "invented": made.invented if made else None,
        "filled": made.filled if made else None,
        "seconds": round(done.seconds, 3) if done else 0.0,
        "skipped": done is None,
        "notes": [*(done.notes if done else []), *([kept.reason] if kept else [])],
    }


@dataclass
class Report:
    """Tells of one photograph after another.

    Attributes:
        settings: of the run.
        total: how many photographs it has.
        single: whether it was asked for one file: its failure is the run's.
        json: whether machines are told, when all is done.
        named: puts the names that the user gave in the place of our own.
        weights: name of the weights.
        results: what machines are told.
        failed: one sentence each.
        passed_over: how many failed in an earlier run and aren't tried again.
        noted: notes that were told, which aren't repeated unless they are on the faces or holes of another photograph.
    """

    settings: Settings
    total: int
    single: bool
    json: bool
    named: Callable[[str], str]
    weights: str = ""
    results: list[dict[str, object]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    passed_over: int = 0
    noted: set[str] = field(default_factory=set)

    def add(self, outcome: Outcome) -> None:
        """Tells what became of a photograph.

        Raises:
            LimnerError: if it is the only one, and failed in a way that the user can put right.
        """
        if outcome.error and outcome.expected and self.single:
            raise LimnerError(self.named(outcome.error))
        if outcome.error:
            self.failed.append(outcome.error)
        self.results.append(outcome_as_json(outcome, self.settings, self.weights))
        if not self.json and not outcome.error:
            self._describe(outcome)

    def done_before(self, targets: Sequence[Target]) -> None:
        """Tells of photographs that earlier runs have done, people of their number alone."""
        self._say(f"{len(targets)} of {self.total} photos are done already: --overwrite makes them anew.")
        if self.json:
            for one in targets:
                names = [str(path) for path in one.outputs]
                output = names[0] if len(names) == 1 else names
                self.results.append({"photo": str(one.source.path), "output": output, "skipped": True})

    def failed_before(self, photos: Sequence[tuple[Path, str]]) -> None:
        """Tells of photographs that failed in earlier runs and aren't tried again: path and sentence of each."""
        self.passed_over = len(photos)
        self.results += [{"photo": str(path), "error": sentence, "skipped": True} for path, sentence in photos]
        self.note(f"{are(len(photos))} passed over, having failed in an earlier run: --retry-failed tries again.")

    def interrupted(self, source: Path) -> None:
        """Tells of the photograph at which the run was interrupted, and of all before."""
        self.results.append({"photo": str(source), "error": "Interrupted."})
        self.finish()

    def finish(self) -> None:
        """Tells of the whole run."""
        if self.json:
            results = [{key: self._named(value) for key, value in result.items()} for result in self.results]
            ui.emit(results[0] if self.single else results)
        elif self.failed:
            self._say(f"{len(self.failed)} of {self.total} photos failed:")
            for sentence in self.failed:
                self._say(f"  {sentence}")

    def note(self, sentence: str) -> None:
        """Tells a person something, once."""
        if sentence not in self.noted:
            self.noted.add(sentence)
            self._say(f"  Note: {sentence}")

    def _describe(self, outcome: Outcome) -> None:
        done, names = outcome.restoration, ", ".join(str(path) for path in outcome.outputs)
        if outcome.kept:
            self._say(outcome.kept.reason)
        elif done and not done.faces:
            none = no_face(done.below, bool(done.left_alone))
            self._say(f"{outcome.source}: {none}, so {names} is the photo{self._changes(done)}.")
        elif done:
            count = f"{len(done.faces)} face{'s' if len(done.faces) > 1 else ''}"
            made_up = f", {done.provenance.invented or 0:.0%} made up" if done.provenance else ""
            self._say(f"{names}: {count} restored in {done.seconds:.1f} s{made_up}.")
        if done:
            self._tell_notes(done)

    def _changes(self, done: Restoration) -> str:
        """What was done to a photograph beside its faces."""
        said = [
            (", its holes filled", bool(done.provenance and done.provenance.filled)),
            (", cleaned", self.settings.background == "clean"),
            (", enlarged", self.settings.upscale > 1),
        ]
        return "".join(words for words, so in said if so) or " as it was"

    def _tell_notes(self, done: Restoration) -> None:
        """Notes that are true of the run once, those on the faces and holes of a photograph every time."""
        from limner.faces.chosen import notes_on  # it brings torch, which is there by now

        self.noted -= {*notes_on(done.faces, done.left_alone), *done.on_holes}
        for sentence in done.notes:
            self.note(sentence)

    def _say(self, text: str) -> None:
        ui.say(self.named(text))

    def _named(self, value: object) -> object:
        if isinstance(value, list):
            return [self._named(one) for one in value]
        return self.named(value) if isinstance(value, str) else value
