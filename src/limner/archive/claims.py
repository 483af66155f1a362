"""Sharing an archive among processes: who is at work, and who restores which photograph.

A process claims a few photographs at a time. Its claims hold as long as it is seen, which it sees to itself (a
heartbeat); those of a process that wasn't seen for `LEASE` seconds, or that has ended on this machine, are free again.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from limner.archive.asked import Asked
from limner.archive.manifest import CLAIMED, FAILED, WAITING, Manifest
from limner.archive.plan import Plan
from limner.errors import LimnerError
from limner.process import is_gone, processes
from limner.storage.files import HERE, Files

LEASE, HEARTBEAT = 60.0, 10.0  # seconds
AT_ONCE = 4
"""Photographs claimed in one transaction: a killed process has hardly more on its hands, and near its end an archive is
shared fairly."""


@dataclass(frozen=True)
class Worker:
    """A process that restores photographs of the archive.

    Attributes:
        id: in the manifest.
        host: the machine's name.
        processes: see `limner.process.processes`.
        pid: the process's number.
        asked: id of what it was asked.
        started, seen: seconds since 1970.
        done: photographs that it has done with.
    """

    id: int
    host: str
    processes: str
    pid: int
    asked: int
    started: float
    seen: float
    done: int

    @property
    def at_work(self) -> bool:
        """Whether its claims hold."""
        return time.time() - self.seen < LEASE and not is_gone(self.processes, self.pid)


_WORKER = "id, host, processes, pid, asked, started, seen, done"


def workers(manifest: Manifest) -> list[Worker]:
    """All that are or were at work and haven't taken their leave."""
    return [Worker(*row) for row in manifest.ask(f"SELECT {_WORKER} FROM workers ORDER BY id")]


class Claims:
    """This process's share of an archive; `with` joins in and takes leave.

    Args:
        manifest: of the archive.
        asked: what decides the results of this run.
        files: where photographs and results lie. A folder of results in a store is held by this process alone, so that
            others that the manifest speaks of have ended.

    Attributes:
        changes: how often other processes were seen to have come or gone, whoever found out that they had ended.
        since: when the first of the other processes at work started, in seconds since 1970; None where there is none.

    Raises:
        LimnerError: others are at work and were asked otherwise.
    """

    def __init__(self, manifest: Manifest, asked: Asked, files: Files = HERE):
        self.manifest, self.files = manifest, files
        self._ended, self.changes, self.id = Event(), 0, 0
        with manifest.change() as rows:
            self.asked = _id_of(rows, asked)
            others = self._dismiss(rows)
            if other := next((one for one in others if one.asked != self.asked), None):
                raise LimnerError(
                    f"Process {other.pid} on {other.host} is restoring into {manifest.out} with other settings: wait "
                    "until it has ended, or choose another --output."
                )
            self._others = {one.id for one in others}
            self.since = min((one.started for one in others), default=None)
            self._row = (socket.gethostname(), processes(), os.getpid(), self.asked, time.time())
            self.id = rows.execute(
                "INSERT INTO workers (host, processes, pid, asked, started, seen) VALUES (?, ?, ?, ?, ?, ?) "
                "RETURNING id",
                (*self._row, time.time()),
            ).fetchone()[0]
        self._heart = Thread(target=self._beat, daemon=True, name="limner-heartbeat")

    def __enter__(self) -> Claims:
        self._heart.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._heart.join()
        with self.manifest.change() as rows:
            _release(rows, self.id)

    def _beat(self) -> None:
        """Sees to it that this process is seen, also when another took it for dead while the machine slept."""
        while not self._ended.wait(HEARTBEAT):
            try:
                with self.manifest.change() as rows:
                    self._be_seen(rows)
            except LimnerError:  # a full disk, a file held for long: whoever restores meets it, too
                continue

    def _be_seen(self, rows: sqlite3.Connection) -> None:
        rows.execute(
            f"INSERT INTO workers ({_WORKER}) VALUES (?, ?, ?, ?, ?, ?, ?, 0) "
            "ON CONFLICT (id) DO UPDATE SET seen = excluded.seen",
            (self.id, *self._row, time.time()),
        )

    def prepare(self, plan: Plan) -> None:
        """Notes what is to be done, so that it waits. What others have done since it was planned stays done."""
        seen = SeenFrom(self.manifest.out, self.files)
        with self.manifest.change() as rows:
            rows.executemany(
                "UPDATE photos SET size = ?, mtime_ns = ? WHERE id = ?",
                [(size, mtime, number) for number, size, mtime in plan.touched],
            )
            rows.executemany(
                "UPDATE photos SET state = ? WHERE id = ? AND state = ? AND ended IS ?",
                [(WAITING, one.id, one.state, one.ended) for one in plan.redone],
            )
            rows.executemany(
                "DELETE FROM photos WHERE id = ? AND state IN (?, ?)",
                [(number, WAITING, FAILED) for number in plan.vanished],
            )
            rows.executemany(
                "INSERT INTO photos (place, source, size, mtime_ns, state) VALUES (?, ?, 0, 0, ?) "
                "ON CONFLICT (place) DO NOTHING",
                ((place, os.fsencode(seen(target.source.path)), WAITING) for place, target in plan.todo),
            )

    def each(self, places: Sequence[bytes]) -> Iterator[tuple[int, int]]:
        """Claims one photograph after another of those that wait, until none is left that no other process is at.

        Args:
            places: of this run's photographs.

        Yields:
            The photograph's place among `places`, and its id.
        """
        left, others = list(range(len(places))), list[int]()
        while left:
            left.reverse()  # taken from the end
            while left:
                yield from self._some(places, left, others)
            # What others had claimed may be free again, because they were stopped.
            left, others = self._freed(places, others), []

    def _some(self, places: Sequence[bytes], left: list[int], others: list[int]) -> list[tuple[int, int]]:
        claimed = list[tuple[int, int]]()
        with self.manifest.change() as rows:
            self._be_seen(rows)
            self._look(rows)
            while left and len(claimed) < AT_ONCE:
                number = left.pop()
                found = rows.execute(
                    "UPDATE photos SET state = ?, worker = ?, tries = tries + 1 WHERE place = ? AND state = ? "
                    "RETURNING id",
                    (CLAIMED, self.id, places[number], WAITING),
                ).fetchall()
                if found:
                    claimed.append((number, found[0][0]))
                else:
                    others.append(number)
        return claimed

    def _look(self, rows: sqlite3.Connection) -> None:
        """Sees which others there are: what is claimed next may be what one of them left behind, also where a third
        process has freed it."""
        others = {number for (number,) in rows.execute("SELECT id FROM workers WHERE id != ?", (self.id,))}
        if others != self._others:
            self._others = others
            self.changes += 1

    def _freed(self, places: Sequence[bytes], others: Sequence[int]) -> list[int]:
        with self.manifest.change() as rows:
            self._dismiss(rows)
            waiting = {place for (place,) in rows.execute("SELECT place FROM photos WHERE state = ?", (WAITING,))}
        return [number for number in others if places[number] in waiting]

    def _dismiss(self, rows: sqlite3.Connection) -> list[Worker]:
        """Frees the claims of processes that have ended, and tells which others are at work."""
        others = [Worker(*row) for row in rows.execute(f"SELECT {_WORKER} FROM workers") if row[0] != self.id]
        alone = self.files.stores(self.manifest.out)
        ended = [one for one in others if alone or not one.at_work]
        for one in ended:
            _release(rows, one.id)
        return [one for one in others if one not in ended]

    def held_by_others(self, places: Sequence[bytes]) -> int:
        """How many of these photographs other processes are at."""
        held = {place for (place,) in self.manifest.ask("SELECT place FROM photos WHERE state = ?", CLAIMED)}
        return sum(place in held for place in places)


class SeenFrom:
    """Paths as they are seen from a folder, so that they still lead there when both are moved together.

    Objects are seen by their addresses, and from a folder in a store all paths as they are.

    Args:
        folder: from where.
        files: where all lie.
    """

    def __init__(self, folder: Path, files: Files = HERE):
        self._files = files
        self._far = self._files.stores(folder)
        self._folder, self._known = os.path.abspath(folder), dict[str, str]()

    def __call__(self, path: Path) -> str:
        if self._far or self._files.stores(path):
            return self._files.named(os.path.abspath(path))
        parent, name = os.path.split(os.path.abspath(path))
        if (seen := self._known.get(parent)) is None:
            try:
                seen = os.path.relpath(parent, self._folder)
            except ValueError:  # on another drive
                seen = parent
            self._known[parent] = seen
        return os.path.join(seen, name)


def _id_of(rows: sqlite3.Connection, asked: Asked) -> int:
    told = (asked.settings, asked.weights, asked.version)
    rows.execute("INSERT INTO asked (settings, weights, version) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", told)
    return rows.execute("SELECT id FROM asked WHERE settings = ? AND weights = ? AND version = ?", told).fetchone()[0]


def _release(rows: sqlite3.Connection, worker: int) -> None:
    rows.execute("UPDATE photos SET state = ?, worker = NULL WHERE worker = ?", (WAITING, worker))
    rows.execute("DELETE FROM workers WHERE id = ?", (worker,))
