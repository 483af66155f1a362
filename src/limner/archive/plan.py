"""What is left to do of an archive: its photographs as they lie there, held against the manifest."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from limner.archive.asked import Asked
from limner.archive.manifest import CLAIMED, DONE, FAILED, NO_FACE, SKIPPED, WAITING, Manifest
from limner.errors import LimnerError
from limner.folder.pictures import SidePictures
from limner.folder.targets import Target
from limner.holes.mask import MaskFiles, digest_of_mask
from limner.photo.contents import with_tail
from limner.storage.files import HERE, Files

IfChanged = Literal["redo", "keep", "fail"]


class Entry(NamedTuple):
    """A photograph in the manifest, as far as planning asks."""

    place: bytes
    id: int
    size: int
    mtime_ns: int
    mask: str | None
    asked: int | None
    limits: str | None
    state: str
    faces: int | None
    ended: float | None


@dataclass(frozen=True)
class Wish:
    """What a run is for.

    Attributes:
        asked: what decides the results.
        overwrite: all results that are there are made anew.
        if_changed: what becomes of results of which photograph, settings, weights or version have changed since: made
            anew, kept, or the run fails.
        retry_failed: whether photographs that failed are tried again though nothing has changed.
        suffix: behind the name of each result.
        beside: pictures that are wanted beside the results.
        masks: of photographs with holes.
        since: what other processes at work have done since then, in seconds since 1970, is done; None where there is
            none.
        files: where photographs and results lie.
    """

    asked: Asked
    overwrite: bool = False
    if_changed: IfChanged = "redo"
    retry_failed: bool = False
    suffix: str = ""
    beside: SidePictures = field(default_factory=SidePictures)
    masks: MaskFiles | None = None
    since: float | None = None
    files: Files = HERE


@dataclass
class Plan:
    """What a run has to do.

    Attributes:
        targets: all photographs.
        todo: those to restore, with their places; in the order in which they lie there.
        redone: of them those that the manifest says are done or failed, by their ids.
        vanished: ids of those that waited or failed and are no longer there.
        touched: ids of those whose file has another time and the same bytes, with size and time.
        new, missing, retried: of `todo`, how many are new or were waiting, have lost a result, failed before.
        there: of the new ones, how many have a file in the place of the result, which is looked into.
        changed: how many results are of another photograph or were asked otherwise, by what is other.
        done: those that are left as they are.
        failed: those that failed before and aren't tried again, with their ids.
        skipped: how many are no photographs, or can't have a result because of another's file.
    """

    targets: Sequence[Target]
    todo: list[tuple[bytes, Target]] = field(default_factory=list)
    redone: list[Entry] = field(default_factory=list)
    vanished: list[int] = field(default_factory=list)
    touched: list[tuple[int, int, int]] = field(default_factory=list)
    new: int = 0
    there: int = 0
    missing: int = 0
    retried: int = 0
    changed: Counter[str] = field(default_factory=Counter)
    done: list[Target] = field(default_factory=list)
    failed: list[tuple[Target, int]] = field(default_factory=list)
    skipped: int = 0


def place_of(target: Target, suffix: str) -> bytes:
    """What the manifest knows a photograph by."""
    return os.fsencode(with_tail(target.source.place, suffix))


def plan(manifest: Manifest | None, targets: Sequence[Target], wish: Wish) -> Plan:
    """Sorts the photographs of a run by what is to be done. Neither files nor manifest are changed.

    Args:
        manifest: None where there is none yet.
        targets: all of them.
        wish: what the run is for.

    Raises:
        LimnerError: results have changed, and the run should fail then.
    """
    return _Planner(manifest, wish).plan(targets)


class _Planner:
    def __init__(self, manifest: Manifest | None, wish: Wish):
        self.manifest, self.wish = manifest, wish
        rows = manifest.ask(f"SELECT {', '.join(Entry._fields)} FROM photos") if manifest else []
        self.known = {row[0]: row for row in rows}
        told = manifest.ask("SELECT id, settings, weights, version FROM asked") if manifest else []
        self.other = {
            number: ", ".join(wish.asked.differences(Asked(settings, weights, version, wish.asked.limits)))
            for number, settings, weights, version in told
        }

    def plan(self, targets: Sequence[Target]) -> Plan:
        done = Plan(targets)
        for target in targets:
            place = place_of(target, self.wish.suffix)
            row = self.known.pop(place, None)  # what is left at the end is no longer there, and memory is short
            if self._wanted(target, Entry._make(row) if row else None, done):
                done.todo.append((place, target))
        if (count := sum(done.changed.values())) and self.wish.if_changed == "fail":
            raise LimnerError(
                f"{count} {'result is' if count == 1 else 'results are'} of other photos or settings than this run's "
                f"({told_changes(done)}): --if-changed redo makes them anew, --if-changed keep leaves them."
            )
        if self.manifest:
            done.vanished = self._vanished()
        return done

    def _vanished(self) -> list[int]:
        assert self.manifest
        pending = "SELECT id, place, source FROM photos WHERE state IN (?, ?)"
        return [
            number
            for number, place, source in self.manifest.ask(pending, WAITING, FAILED)
            if place in self.known and self.wish.files.has_gone(self.manifest.out, os.fsdecode(source))
        ]

    def _wanted(self, target: Target, known: Entry | None, done: Plan) -> bool:
        """Whether a photograph is to be restored; notes why or why not."""
        if known is None or known.state in (WAITING, CLAIMED):
            done.new += 1
            done.there += known is None and any(self._is_there(path) for path in target.outputs)
            return True
        if self.wish.since is not None and (known.ended or 0) >= self.wish.since:
            return self._left(target, known, done)
        if known.state == SKIPPED:
            wanted = self.wish.overwrite or self._as_before(known, target, done) != "" or self._gone(known)
            done.new += wanted
        elif known.state == FAILED:
            again = self.wish.overwrite or self.wish.retry_failed or known.limits != self.wish.asked.limits
            wanted = again or self._changed(known, target, done) != ""
            done.retried += wanted
        else:
            wanted = self._wanted_anew(target, known, done)
        if not wanted:
            return self._left(target, known, done)
        done.redone.append(known)
        return True

    def _wanted_anew(self, target: Target, known: Entry, done: Plan) -> bool:
        """Whether a photograph that is done is restored again."""
        if self.wish.overwrite:
            done.changed["--overwrite"] += 1
            return True
        beside = known.faces and not self.wish.beside.there(target.source.place)
        missing = beside or not all(self._is_there(path) for path in target.outputs)
        changed = self._changed(known, target, done)
        if changed and not (missing and self.wish.if_changed == "keep"):
            done.changed[changed] += 1
            return self.wish.if_changed != "keep"
        done.missing += bool(missing)
        return bool(missing)

    def _left(self, target: Target, known: Entry, done: Plan) -> bool:
        if known.state in (DONE, NO_FACE):
            done.done.append(target)
        elif known.state == FAILED:
            done.failed.append((target, known.id))
        else:
            done.skipped += 1
        return False

    def _changed(self, known: Entry, target: Target, done: Plan) -> str:
        """What has changed since a photograph was restored, in words; empty if nothing."""
        if changed := self._as_before(known, target, done):
            return changed
        if known.asked is None or (other := self.other[known.asked]):
            return "settings" if known.asked is None else other
        return "mask" if self.wish.masks and _mask_of(self.wish.masks, target) != known.mask else ""

    def _as_before(self, known: Entry, target: Target, done: Plan) -> str:
        """Whether the photograph's bytes have changed: empty if they are as they were."""
        facts = self.wish.files.facts(target.source.path)
        if facts is None:  # restoring it tells
            return "photo"
        if (facts.size, facts.version) == (known.size, known.mtime_ns):
            return ""
        assert self.manifest
        ((digest,),) = self.manifest.ask("SELECT sha256 FROM photos WHERE id = ?", known.id)
        if facts.size != known.size or self._digest_or_none(target.source.path) != digest:
            return "photo"
        done.touched.append((known.id, facts.size, facts.version))
        return ""

    def _digest_or_none(self, path: Path) -> str | None:
        try:
            return self.wish.files.digest(path)
        except (LimnerError, OSError):
            return None

    def _gone(self, known: Entry) -> bool:
        """Whether files that were in the way have gone since."""
        assert self.manifest
        outputs = self.manifest.outputs(known.id)
        return bool(outputs) and not any(self._is_there(self.manifest.out / path) for path, *_ in outputs)

    def _is_there(self, path: Path) -> bool:
        facts = self.wish.files.facts(path)
        return facts is not None and facts.size > 0


def told_changes(plan: Plan) -> str:
    """What has changed, in words: `12 settings (seed), 3 photo`."""
    return ", ".join(f"{count} {why}" for why, count in plan.changed.most_common())


def mask_digest(masks: MaskFiles | None, target: Target) -> str | None:
    """What tells the mask of a photograph from others; None where it has none.

    Raises:
        LimnerError: see `MaskFiles.of` and `digest_of_mask`.
    """
    mask = masks.of(target.source.place) if masks else None
    return None if mask is None else digest_of_mask(mask)


def _mask_of(masks: MaskFiles, target: Target) -> str | None:
    try:
        return mask_digest(masks, target)
    except LimnerError as error:  # restoring it tells
        return str(error)
