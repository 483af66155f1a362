"""Restoring an archive: targets that this process has claimed, and the record of what became of each."""

from __future__ import annotations

import errno
import json
import os
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from limner.archive.claims import Claims
from limner.archive.facts import ElsewhereOutcome, Facts, facts_of, of_file
from limner.archive.manifest import DONE, FAILED, NO_FACE, SKIPPED, put_outputs
from limner.archive.own_results import OwnResults, own_result
from limner.archive.plan import Plan, Wish
from limner.errors import LimnerError
from limner.folder.run import Outcome, Saving, kept_of
from limner.folder.targets import Target
from limner.photo.provenance import digest_of
from limner.photo.write import sweep
from limner.restoration import Restoration
from limner.restorer import Restorer

NO_SPACE = [os.strerror(getattr(errno, name)) for name in ("ENOSPC", "EDQUOT") if hasattr(errno, name)]


@dataclass(frozen=True)
class _Claimed:
    """A photograph that this process is at.

    Attributes:
        target, id: it, and its id in the manifest.
        facts: as it was when it was claimed; where it is restored elsewhere, when it was restored.
    """

    target: Target
    id: int
    facts: Facts = field(default_factory=Facts)


class Work:
    """This process's part of an archive's run; photographs are drawn and recorded in one thread.

    Args:
        claims: of this process.
        planned: what is to be done, which `claims` has prepared.
        wish: what the run is for.
        restorer: of this run; asked for where a result is there that the manifest doesn't know.
        saving: see `limner.folder.run.restore_all`.
        named: files that were named themselves, so that they are taken whatever they are.
        elsewhere: whether other processes restore and tell the facts, `ElsewhereOutcome`, so that this one reads no
            photograph.

    Attributes:
        looked: what became of photographs that weren't handed out, because their results were there already; whoever
            tells of them takes them off.
        own: those that weren't because they are results themselves.
    """

    def __init__(
        self,
        claims: Claims,
        planned: Plan,
        wish: Wish,
        restorer: Callable[[], Restorer],
        saving: Saving,
        named: Collection[Path] = (),
        elsewhere: bool = False,
    ):
        self.claims, self.manifest, self.planned, self.wish = claims, claims.manifest, planned, wish
        self.restorer, self.saving, self.named, self.elsewhere = restorer, saving, frozenset(named), elsewhere
        self.files = saving.files
        self.looked, self.own = deque[Outcome](), list[Path]()
        self._own = OwnResults([target.source.path for target in planned.targets], self.files)
        self._drawn: deque[_Claimed] = deque()
        self._swept, self._changes = set[Path](), claims.changes

    def targets(self) -> Iterator[Target]:
        """Hands out one photograph after another that this process has claimed, in the order of the plan.

        Raises:
            LimnerError: the manifest can't be read or written any more, or another process has taken over what this
                one held.
        """
        for number, photo in self.claims.each([place for place, _ in self.planned.todo]):
            self.files.check()
            claimed = self._claimed(self.planned.todo[number][1], photo)
            self._sweep(claimed.target)
            if self._is_own(claimed):
                continue
            if outcome := self._there(claimed):
                self.looked.append(outcome)
            else:
                self._drawn.append(claimed)
                yield claimed.target
                continue
            self._drop(claimed)

    @property
    def at(self) -> Path | None:
        """The photograph whose outcome is waited for."""
        return self._drawn[0].target.source.path if self._drawn else None

    def recorded(self, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
        """The outcomes, each when it is noted, and between them those of photographs that weren't handed out.

        Args:
            outcomes: of `targets`, in that order.

        Raises:
            LimnerError: see `record`.
        """
        for outcome in outcomes:
            yield from self._taken()
            if self.record(outcome):
                yield outcome
        yield from self._taken()

    def _taken(self) -> Iterator[Outcome]:
        while self.looked:
            yield self.looked.popleft()

    def record(self, outcome: Outcome) -> bool:
        """Notes what became of a photograph.

        Args:
            outcome: in the order in which the targets were handed out.

        Returns:
            Whether it was one; False of a result that was seen to be one elsewhere.

        Raises:
            LimnerError: no space is left, which would fail all the others, too; or the manifest can't be written.
        """
        claimed = self._drawn.popleft()
        if claimed.target.source.path != outcome.source:
            raise AssertionError(f"{outcome.source} was told of in the place of {claimed.target.source.path}")
        if outcome.error and any(words in outcome.error for words in NO_SPACE):
            raise LimnerError(
                f"{outcome.error.rstrip('.')}. No space is left: make room and run again, which goes on where this "
                "stopped."
            )
        results = None
        if isinstance(outcome, ElsewhereOutcome):
            claimed, results = replace(claimed, facts=outcome.facts), outcome.results
            if outcome.own:
                self._settle_own(claimed, own_result(outcome.source))
                return False
        if outcome.error:
            self._settle(claimed, FAILED, outcome.error)
        elif (done := outcome.restoration) is not None:
            told = {"faces": len(done.faces), "notes": _notes_of(done), "seconds": round(done.seconds, 3)}
            self._settle(claimed, DONE if done.faces else NO_FACE, None, **told, results=results)
        self._drop(claimed)
        return True

    def _drop(self, claimed: _Claimed) -> None:
        self.files.drop(claimed.target.source.path, *claimed.target.outputs)

    def _claimed(self, target: Target, photo: int) -> _Claimed:
        if self.elsewhere and not any(os.path.lexists(path) or self.files.facts(path) for path in target.outputs):
            return _Claimed(target, photo)
        return _Claimed(target, photo, facts_of(target, self.wish.masks, self.files))

    def _is_own(self, claimed: _Claimed) -> bool:
        """Whether a photograph is a result itself, which is noted."""
        path = claimed.target.source.path
        sentence = None if path in self.named else self._own.told(path, opened=not self.elsewhere)
        if sentence:
            self._settle_own(claimed, sentence)
        return sentence is not None

    def _settle_own(self, claimed: _Claimed, sentence: str) -> None:
        self.own.append(claimed.target.source.path)
        self._settle(claimed, SKIPPED, sentence, outputs=())
        self._drop(claimed)

    def _there(self, claimed: _Claimed) -> Outcome | None:
        """What became of a photograph whose results are there already, which is noted; None where they are to be
        made."""
        target = claimed.target
        try:
            found = (
                None
                if self.saving.overwrite or self._as_written(claimed)
                else kept_of(target, self.restorer(), self.saving)
            )
            copied = found is not None and digest_of(target.outputs[0]) == claimed.facts.sha256
        except (LimnerError, OSError) as error:
            if not any(os.path.lexists(path) or self.files.facts(path) for path in target.outputs):
                return None  # restoring it tells
            sentence = (
                f"{target.source.path}: what is there already can't be looked into ({error}): see to it, or move it."
            )
            self._settle(claimed, FAILED, sentence)
            return Outcome(target.source.path, target.outputs, error=sentence)
        if found is None:
            return None
        if found.provenance or copied:
            faces = found.provenance.faces if found.provenance else 0
            self._settle(claimed, DONE if faces else NO_FACE, None, faces=faces)
        else:
            self._settle(claimed, SKIPPED, found.reason)
        return Outcome(target.source.path, target.outputs, kept=found)

    def _as_written(self, claimed: _Claimed) -> bool:
        """Whether nothing lies in the place of the results but what the manifest knows: they are to be made anew."""
        self.files.bring(*claimed.target.outputs)
        known = {path: told for path, *told in self.manifest.outputs(claimed.id)}
        there = [path for path in claimed.target.outputs if path.is_file() and path.stat().st_size]
        return all([*of_file(path)] == known.get(_below(path, self.manifest.out)) for path in there)

    def _settle(
        self,
        claimed: _Claimed,
        state: str,
        sentence: str | None,
        faces: int | None = None,
        notes: list[str] | None = None,
        seconds: float | None = None,
        outputs: tuple[Path, ...] | None = None,
        results: Sequence[tuple[int, str]] | None = None,
    ) -> None:
        """Notes how it ended, unless the claim was lost to another process, which will do so.

        Args:
            outputs: those that are noted; by default all that the target has.
            results: sizes and SHA-256 of all, where they are known; else they are looked at.
        """
        written = claimed.target.outputs if outputs is None else outputs
        facts = []
        try:
            if state != FAILED:
                there = [path for path in written if state != SKIPPED or path.is_file()]
                known = [of_file(path) for path in there] if results is None else results
                facts = [(_below(path, self.manifest.out), *one) for path, one in zip(there, known, strict=True)]
        except OSError as error:
            state = FAILED
            sentence = (
                f"{error.filename} is gone since it was written ({error.strerror}): --retry-failed makes it anew."
            )
        # SQLite's text is UTF-8, names of files need not be
        sentence = sentence and self.files.named(sentence).encode(errors="backslashreplace").decode()
        told = (sentence, faces, json.dumps(notes) if notes else None, seconds)
        seen = claimed.facts
        photo = (seen.size, seen.mtime_ns, seen.sha256, seen.mask)
        with self.manifest.change() as rows:
            change = rows.execute(
                "UPDATE photos SET worker = NULL, state = ?, sentence = ?, faces = ?, notes = ?, seconds = ?, "
                "size = ?, mtime_ns = ?, sha256 = ?, mask = ?, asked = ?, limits = ?, ended = ? "
                "WHERE id = ? AND worker = ?",
                (
                    *(state, *told, *photo, self.claims.asked, self.wish.asked.limits, time.time()),
                    *(claimed.id, self.claims.id),
                ),
            )
            if change.rowcount:
                if state != FAILED:
                    put_outputs(rows, claimed.id, facts)
                rows.execute("UPDATE workers SET done = done + 1 WHERE id = ?", (self.claims.id,))

    def _sweep(self, target: Target) -> None:
        """Takes away what killed processes left where this photograph's files go, once for each folder and again when
        other processes have come or gone."""
        if self._changes != self.claims.changes:
            self._changes, self._swept = self.claims.changes, set()
        place = target.source.place.parent
        folders = {path.parent for path in target.outputs} | {one / place for one in self.saving.beside.folders()}
        for folder in folders - self._swept:
            sweep(folder)
        self._swept |= folders


def without_looking(saving: Saving) -> Saving:
    """What `restore_all` is given for an archive: what is there already was looked into before."""
    return replace(saving, overwrite=True)


def _below(path: Path, out: Path) -> Path:
    return Path(os.path.relpath(path, out))


def _notes_of(done: Restoration) -> list[str]:
    """Notes without those that name somebody of an album: a manifest may go where its results go."""
    names = [one.person for one in done.people if one.person]
    return [note for note in done.notes if not any(name in note for name in names)]
