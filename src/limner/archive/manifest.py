"""The manifest of a folder of results: which photographs there are, what became of each, and who is at work.

One SQLite file in `.limner` of that folder. Every change is one transaction, so that a run that is killed leaves whole
records behind, and several processes may use it at once.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

from limner.errors import LimnerError

LAYOUT = 1
"""Number of the tables' layout."""

SCHEMA = """
CREATE TABLE asked (
    id INTEGER PRIMARY KEY, settings TEXT NOT NULL, weights TEXT NOT NULL, version TEXT NOT NULL,
    UNIQUE (settings, weights, version));
CREATE TABLE workers (
    id INTEGER PRIMARY KEY AUTOINCREMENT, host TEXT NOT NULL, processes TEXT NOT NULL, pid INTEGER NOT NULL,
    asked INTEGER NOT NULL REFERENCES asked, started REAL NOT NULL, seen REAL NOT NULL,
    done INTEGER NOT NULL DEFAULT 0);
CREATE TABLE photos (
    id INTEGER PRIMARY KEY, place BLOB NOT NULL UNIQUE, source BLOB NOT NULL, size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL, sha256 TEXT, mask TEXT, asked INTEGER REFERENCES asked, limits TEXT,
    state TEXT NOT NULL, sentence TEXT, faces INTEGER, notes TEXT, seconds REAL, tries INTEGER NOT NULL DEFAULT 0,
    ended REAL, worker INTEGER REFERENCES workers);
CREATE INDEX photos_by_state ON photos (state);
CREATE INDEX photos_by_worker ON photos (worker) WHERE worker NOTNULL;
CREATE TABLE outputs (
    photo INTEGER NOT NULL REFERENCES photos ON DELETE CASCADE, path BLOB NOT NULL, size INTEGER NOT NULL,
    sha256 TEXT NOT NULL, PRIMARY KEY (photo, path)) WITHOUT ROWID;
"""
"""`place` is where the result lies below the folder, without the number of a sample: it comes of the photograph's path
below the folder of photographs, so that the record of an archive that was moved still fits. `source` is the photograph
as seen from the folder of results. Paths are as the file system has them, in bytes. `asked` is what decides a result
beside the photograph and its `mask`; `limits` what it may have failed by. `started`, `seen` and `ended` are seconds
since 1970."""

WAITING, CLAIMED, DONE, NO_FACE, FAILED, SKIPPED = "waiting", "claimed", "done", "no face", "failed", "skipped"
STATES = (WAITING, CLAIMED, DONE, NO_FACE, FAILED, SKIPPED)
"""What becomes of a photograph: it waits; a process is at it; it is restored; it is passed on, for it has no face; it
can't be restored; it is left alone, because it is a result itself or a file of somebody else is in the way."""


def manifest_file(out: Path) -> Path:
    """Where the manifest of a folder of results lies."""
    return out / ".limner" / "manifest.sqlite"


class Manifest:
    """The open file; `with` closes it. Several threads may use one.

    Args:
        out: the folder of results.
        create: whether one is made where there is none. Else it is only read, also where nothing can be written.

    Raises:
        LimnerError: there is none, it is damaged, a newer version's, or can't be read or written.
    """

    def __init__(self, out: Path, create: bool = False):
        self.out, self.path = out, manifest_file(out)
        self._lock = RLock()
        if not create and not self.path.is_file():
            raise LimnerError(f"{out} has no manifest: it is made when a folder of photos is restored into it.")
        with self._told():
            if create:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            self._rows = self._opened(create)
            try:
                self._check_layout(create)
            except BaseException:
                self._rows.close()
                raise

    def _opened(self, create: bool) -> sqlite3.Connection:
        address = self.path.absolute().as_uri()
        if create:
            how = "rwc"
        elif os.access(self.path.parent, os.W_OK):  # readers of a log that is written ahead write, too
            how = "rw"
        else:
            how = "ro" if self.path.with_name(f"{self.path.name}-wal").exists() else "ro&immutable=1"
        rows = sqlite3.connect(
            f"{address}?mode={how}", uri=True, timeout=60, check_same_thread=False, isolation_level=None
        )
        if create:
            rows.execute("PRAGMA journal_mode = WAL")
        rows.execute("PRAGMA synchronous = NORMAL")
        rows.execute("PRAGMA foreign_keys = ON")
        return rows

    def _check_layout(self, create: bool) -> None:
        (layout,) = self._rows.execute("PRAGMA user_version").fetchone()
        if layout == 0 and create:
            with self.change() as rows:
                (layout,) = rows.execute("PRAGMA user_version").fetchone()
                if layout == 0:  # no other process was quicker
                    for command in SCHEMA.split(";"):
                        rows.execute(command)
                    rows.execute(f"PRAGMA user_version = {LAYOUT}")
        elif layout == 0:
            raise LimnerError(
                f"The manifest {self.path} is empty: `limner restore` into its folder fills it, or is about to."
            )
        elif layout != LAYOUT:
            raise LimnerError(
                f"The manifest {self.path} is of a newer version of limner: update limner, or choose another --output."
            )

    def __enter__(self) -> Manifest:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._rows.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Failures of file and database as one sentence."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise LimnerError(self._sentence(error)) from error
        except OSError as error:
            raise LimnerError(
                f"The manifest {self.path} can't be made ({error.strerror}): check its folder, or choose another "
                "--output."
            ) from error

    def _sentence(self, error: sqlite3.DatabaseError) -> str:
        name = getattr(error, "sqlite_errorname", "")
        if name == "SQLITE_FULL":
            return (
                f"There is no space left for the manifest {self.path}: make room and run again, which goes on where "
                "this stopped."
            )
        if name.startswith("SQLITE_READONLY") or name.startswith("SQLITE_CANTOPEN"):
            return (
                f"The manifest {self.path} can't be written to ({error}): check its folder, or choose another --output."
            )
        if isinstance(error, sqlite3.OperationalError | sqlite3.IntegrityError):
            return f"The manifest {self.path} can't be used ({error}): check its folder, then run again."
        return (
            f"The manifest {self.path} is damaged ({error}): move it away and run again; what is done is then known by "
            "what the results say of themselves."
        )

    def ask(self, question: str, *values: object) -> list[tuple]:
        """The rows of a SELECT.

        Raises:
            LimnerError: the file is damaged or held by another for a minute.
        """
        with self._told(), self._lock:
            return self._rows.execute(question, values).fetchall()

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """One transaction; an exception takes all of it back.

        Raises:
            LimnerError: the file is damaged, held by another for a minute, or can't grow.
        """
        with self._told(), self._lock:
            try:
                self._rows.execute("BEGIN IMMEDIATE")
                yield self._rows
                self._rows.execute("COMMIT")
            except BaseException:
                if self._rows.in_transaction:
                    self._rows.execute("ROLLBACK")
                raise

    def counts(self) -> dict[str, int]:
        """How many photographs there are in each state."""
        told = dict(self.ask("SELECT state, count(*) FROM photos GROUP BY state"))
        return {state: told.get(state, 0) for state in STATES}

    def outputs(self, photo: int) -> list[tuple[Path, int, str]]:
        """The results of a photograph as they were written: path below the folder, size, SHA-256."""
        rows = self.ask("SELECT path, size, sha256 FROM outputs WHERE photo = ? ORDER BY path", photo)
        return [(Path(os.fsdecode(path)), size, digest) for path, size, digest in rows]


def put_outputs(rows: sqlite3.Connection, photo: int, outputs: Iterable[tuple[Path, int, str]]) -> None:
    """Notes the results of a photograph in the place of those before.

    Args:
        rows: of `Manifest.change`.
        photo: its id.
        outputs: path below the folder of results, size, SHA-256.
    """
    rows.execute("DELETE FROM outputs WHERE photo = ?", (photo,))
    rows.executemany(
        "INSERT INTO outputs VALUES (?, ?, ?, ?)", [(photo, os.fsencode(path), *told) for path, *told in outputs]
    )
