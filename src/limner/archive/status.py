"""How far an archive has come: counts, rate, failures, who is at work."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from limner.archive.claims import Worker, workers
from limner.archive.manifest import CLAIMED, DONE, FAILED, NO_FACE, SKIPPED, WAITING, Manifest

RECENT = 600.0  # seconds over which the rate is taken


@dataclass(frozen=True)
class Unrestored:
    """A photograph that couldn't be restored, or was left alone.

    Attributes:
        photo: its path, seen from the folder of results, or its address.
        sentence: why.
        tries: how often it was tried.
    """

    photo: str
    sentence: str
    tries: int


@dataclass(frozen=True)
class Status:
    """How far an archive has come.

    Attributes:
        counts: photographs by state, see `limner.archive.manifest.STATES`.
        faces: restored ones.
        per_hour: photographs that were finished in the last ten minutes, for an hour; None where none was.
        seconds: that a photograph takes on average, as far as it was restored; None where none was.
        failed, skipped: those of these states.
        workers: processes that are at work, or were stopped.
    """

    counts: dict[str, int]
    faces: int
    per_hour: float | None
    seconds: float | None
    failed: list[Unrestored]
    skipped: list[Unrestored]
    workers: list[Worker]

    @property
    def left(self) -> int:
        """How many photographs aren't finished."""
        return self.counts[WAITING] + self.counts[CLAIMED]

    @property
    def hours_left(self) -> float | None:
        """At that rate; None where there is none."""
        return self.left / self.per_hour if self.left and self.per_hour else None


def status_of(manifest: Manifest) -> Status:
    """How far an archive has come."""
    ((faces, seconds),) = manifest.ask(
        "SELECT total(faces), avg(seconds) FROM photos WHERE state IN (?, ?)", DONE, NO_FACE
    )
    now = time.time()
    ((recent, first),) = manifest.ask(
        "SELECT count(*), min(ended - ifnull(seconds, 0)) FROM photos WHERE ended > ? AND seconds NOTNULL", now - RECENT
    )
    return Status(
        counts=manifest.counts(),
        faces=int(faces),
        per_hour=3600 * recent / max(now - max(first, now - RECENT), 1.0) if recent else None,
        seconds=seconds,
        failed=_unrestored(manifest, FAILED),
        skipped=_unrestored(manifest, SKIPPED),
        workers=workers(manifest),
    )


def _unrestored(manifest: Manifest, state: str) -> list[Unrestored]:
    rows = manifest.ask("SELECT source, sentence, tries FROM photos WHERE state = ? ORDER BY place", state)
    return [Unrestored(os.fsdecode(source), sentence, tries) for source, sentence, tries in rows]
