"""The album's file: which photographs there are, which faces are in them, and who they are.

One SQLite file that its user alone may read. It holds no picture: paths, sizes, places of faces, the recogniser's
vectors and the names that people gave. Every change is one transaction, so that a run that is killed leaves whole
photographs behind.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from limner.errors import LimnerError
from limner.faces.find import Face
from limner.weights.catalogue import cache_folder

LAYOUT = 1
"""Number of the tables' layout; an album of another is refused."""

SCHEMA = """
CREATE TABLE photos (
    id INTEGER PRIMARY KEY AUTOINCREMENT, path BLOB NOT NULL UNIQUE, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    sha256 TEXT NOT NULL, taken TEXT, width INTEGER NOT NULL, height INTEGER NOT NULL, problem TEXT);
CREATE INDEX photos_by_content ON photos (sha256);
CREATE TABLE people (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, settled INTEGER NOT NULL DEFAULT 0);
CREATE TABLE faces (
    id INTEGER PRIMARY KEY AUTOINCREMENT, photo INTEGER NOT NULL REFERENCES photos ON DELETE CASCADE,
    x0 REAL NOT NULL, y0 REAL NOT NULL, x1 REAL NOT NULL, y1 REAL NOT NULL, points BLOB NOT NULL, score REAL NOT NULL,
    yaw REAL, pitch REAL, damage REAL, side REAL NOT NULL, vector BLOB NOT NULL,
    person INTEGER REFERENCES people ON DELETE SET NULL, settled INTEGER NOT NULL DEFAULT 0);
CREATE INDEX faces_by_photo ON faces (photo);
CREATE INDEX faces_by_person ON faces (person);
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
"""`path` is as the file system has it, in bytes; `taken` the EXIF's date, `problem` why a photograph couldn't be read.
A face that is `settled` is where its user put it, a person that is `settled` was named, merged or split by its user:
no later run changes either. Numbers are never given twice, so that an old list names nobody else."""


def album_file() -> Path:
    """Where the album lies: $LIMNER_ALBUM, else `album.sqlite` in limner's cache folder."""
    chosen = os.environ.get("LIMNER_ALBUM")
    return Path(chosen).expanduser() if chosen else cache_folder() / "album.sqlite"


@dataclass(frozen=True)
class AlbumPhoto:
    """A photograph of the album.

    Attributes:
        path: of the file, resolved.
        size, mtime_ns: in bytes, and when it was last changed: what tells that it is as it was.
        sha256: of its bytes, in hexadecimal; tells it where it was moved to.
        taken: the date that its EXIF tells, `YYYY-MM-DD`; None where it tells none.
        width, height: in pixels, upright.
        problem: why it couldn't be read, one sentence; None where it could.
        id: in the album; 0 of one that isn't there yet.
    """

    path: Path
    size: int
    mtime_ns: int
    sha256: str
    taken: str | None = None
    width: int = 0
    height: int = 0
    problem: str | None = None
    id: int = 0


@dataclass(frozen=True, eq=False)
class AlbumFace(Face):
    """A face of the album; box and points are in pixels of its photograph.

    Attributes:
        yaw, pitch: degrees, see `limner.faces.pose`; None where they aren't known.
        damage: 0 to 1, see `limner.faces.damage`; None of a face that is too small to tell.
        side: of its aligned crop, in pixels of the photograph.
        person: id of who it is; None where nobody knows.
        settled: whether the user said so.
        photo, id: ids in the album; 0 of a face that isn't there yet.
    """

    yaw: float | None = None
    pitch: float | None = None
    damage: float | None = None
    side: float = 0.0
    person: int | None = None
    settled: bool = False
    photo: int = 0
    id: int = 0


@dataclass(frozen=True, eq=False)
class Vectors:
    """The recogniser's vectors of faces.

    Attributes:
        faces, photos: (N,) int64, ids.
        people: (N,) int64, ids; -1 where nobody knows.
        clear: (N,) bool, whether the face shows enough to say what its person looks like.
        vectors: (N, D) float32, of unit length.
    """

    faces: np.ndarray
    photos: np.ndarray
    people: np.ndarray
    clear: np.ndarray
    vectors: np.ndarray


_PHOTO = "path, size, mtime_ns, sha256, taken, width, height, problem, id"
_FACE = "x0, y0, x1, y1, points, score, yaw, pitch, damage, side, person, settled, photo, id"
CLEAR_DAMAGE, CLEAR_SIDE = 0.7, 55.0
"""A face that is damaged less and whose crop is larger, in pixels of the photograph, is clear."""


class Album:
    """The open file; `with` closes it. One thread at a time may use it, and each may open its own.

    Args:
        path: of the file; None is `album_file()`.
        create: whether one is made where there is none.

    Raises:
        LimnerError: there is none, it is damaged, of another layout, or can't be read or written.
    """

    def __init__(self, path: Path | None = None, create: bool = False):
        self.path = Path(path) if path else album_file()
        if not create and not self.path.is_file():
            raise LimnerError(f"There is no album at {self.path}: make one with `limner album index FOLDER`.")
        with self._told():
            if not self.path.exists():
                self.path.parent.mkdir(parents=True, exist_ok=True)
                os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))  # nobody else's from the first byte on
            self._rows = sqlite3.connect(self.path, timeout=60, check_same_thread=False)
            self._rows.execute("PRAGMA foreign_keys = ON")
            self._rows.execute("PRAGMA secure_delete = ON")  # what is forgotten is overwritten
            (layout,) = self._rows.execute("PRAGMA user_version").fetchone()
            if layout == 0:
                self._rows.executescript(f"BEGIN;{SCHEMA}PRAGMA user_version = {LAYOUT};COMMIT;")
            elif layout != LAYOUT:
                raise LimnerError(f"The album {self.path} is of another version of limner: delete it and index anew.")

    def __enter__(self) -> Album:
        return self

    def __exit__(self, *_: object) -> None:
        self._rows.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Failures of file and database as one sentence."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise LimnerError(
                f"The album {self.path} can't be used ({error}): check its folder, or free it."
            ) from error
        except sqlite3.IntegrityError as error:
            raise LimnerError(
                f"The album {self.path} was changed meanwhile: look at it again, then try anew."
            ) from error
        except sqlite3.DatabaseError as error:
            raise LimnerError(f"The album {self.path} is damaged ({error}): delete it and index anew.") from error
        except OSError as error:
            raise LimnerError(f"The album {self.path} can't be made ({error.strerror}): check its folder.") from error

    def ask(self, question: str, *values: object) -> list[tuple]:
        """The rows of a SELECT.

        Raises:
            LimnerError: the file is damaged or held by another for a minute.
        """
        with self._told():
            return self._rows.execute(question, values).fetchall()

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """One transaction, a new revision if it changes anything; an exception takes all of it back.

        Raises:
            LimnerError: the file is damaged or held by another for a minute.
        """
        with self._told(), self._rows:
            self._rows.execute("BEGIN IMMEDIATE")
            before = self._rows.total_changes
            yield self._rows
            if self._rows.total_changes > before:
                self._rows.execute(
                    "INSERT INTO about VALUES ('revision', '1') ON CONFLICT (key) DO UPDATE SET value = value + 1"
                )

    def about(self, key: str) -> str | None:
        """What is noted of the whole album under a key: `revision`, `recogniser`."""
        found = self.ask("SELECT value FROM about WHERE key = ?", key)
        return found[0][0] if found else None

    @property
    def revision(self) -> str:
        """Changes with the album."""
        return self.about("revision") or "0"

    def photos(self) -> list[AlbumPhoto]:
        """All photographs, in the order in which they came."""
        return [_photo(row) for row in self.ask(f"SELECT {_PHOTO} FROM photos ORDER BY id")]

    def photo(self, number: int) -> AlbumPhoto:
        """The photograph of an id."""
        return _photo(self.ask(f"SELECT {_PHOTO} FROM photos WHERE id = ?", number)[0])

    def put(self, photo: AlbumPhoto, faces: Sequence[AlbumFace], vectors: np.ndarray) -> None:
        """Takes a photograph in with its faces; one of the same path is replaced.

        Args:
            photo: its id doesn't matter.
            faces: theirs don't, either.
            vectors: of each, (N, D), of unit length; kept as float16.
        """
        with self.change() as rows:
            rows.execute("DELETE FROM photos WHERE path = ?", (os.fsencode(photo.path),))
            told = (photo.size, photo.mtime_ns, photo.sha256, photo.taken, photo.width, photo.height, photo.problem)
            number = rows.execute(
                "INSERT INTO photos (path, size, mtime_ns, sha256, taken, width, height, problem) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
                (os.fsencode(photo.path), *told),
            ).fetchone()[0]
            for face, vector in zip(faces, vectors, strict=True):
                points, look = np.asarray(face.landmarks, "<f4").tobytes(), np.asarray(vector, "<f2").tobytes()
                seen = (face.yaw, face.pitch, face.damage, face.side, look, face.person, face.settled)
                rows.execute(
                    "INSERT INTO faces (photo, x0, y0, x1, y1, points, score, yaw, pitch, damage, side, vector, "
                    "person, settled) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (number, *map(float, face.box), points, float(face.score), *seen),
                )

    def moved(self, number: int, photo: AlbumPhoto) -> None:
        """Notes that the photograph of an id lies elsewhere, or was touched but not changed."""
        with self.change() as rows:
            rows.execute(
                "UPDATE photos SET path = ?, size = ?, mtime_ns = ? WHERE id = ?",
                (os.fsencode(photo.path), photo.size, photo.mtime_ns, number),
            )

    def remove(self, photos: Iterable[int]) -> None:
        """Takes photographs out with their faces, by id; unnamed people of whom no face is left go with them."""
        with self.change() as rows:
            rows.executemany("DELETE FROM photos WHERE id = ?", [(one,) for one in photos])
            drop_nobodies(rows)

    def faces(self, where: str = "1", *values: object) -> list[AlbumFace]:
        """Faces that meet a condition of SQL, in the order in which they came."""
        return [_face(row) for row in self.ask(f"SELECT {_FACE} FROM faces WHERE {where} ORDER BY id", *values)]

    def vectors(self, where: str = "1", *values: object) -> Vectors:
        """The vectors of the faces that meet a condition, in the order of `faces`."""
        rows = self.ask(
            "SELECT id, photo, ifnull(person, -1), ifnull(damage, 1) < ? AND side >= ?, vector FROM faces "
            f"WHERE {where} ORDER BY id",
            CLEAR_DAMAGE,
            CLEAR_SIDE,
            *values,
        )
        ids, photos, people, clear, blobs = zip(*rows, strict=True) if rows else ((), (), (), (), ())
        found = (
            np.frombuffer(b"".join(blobs), "<f2")
            .astype(np.float32)
            .reshape(len(rows), len(blobs[0]) // 2 if blobs else 0)
        )
        ids, photos, people = (np.array(one, np.int64) for one in (ids, photos, people))
        return Vectors(ids, photos, people, np.array(clear, bool), found)


def new_person(rows: sqlite3.Connection, settled: bool = False) -> int:
    """Adds a person without a name, and returns the id."""
    return rows.execute("INSERT INTO people (settled) VALUES (?) RETURNING id", (settled,)).fetchone()[0]


def drop_nobodies(rows: sqlite3.Connection) -> None:
    """Takes people out who were never named and have no face left."""
    rows.execute("DELETE FROM people WHERE name IS NULL AND id NOT IN (SELECT person FROM faces WHERE person NOTNULL)")


def _photo(row: tuple) -> AlbumPhoto:
    path, *others = row
    return AlbumPhoto(Path(os.fsdecode(path)), *others)


def _face(row: tuple) -> AlbumFace:
    box, points, score, others = row[:4], np.frombuffer(row[4], "<f4").reshape(5, 2), row[5], row[6:]
    yaw, pitch, damage, side, person, settled, photo, number = others
    return AlbumFace(
        box,
        points,
        score,
        yaw=yaw,
        pitch=pitch,
        damage=damage,
        side=side,
        person=person,
        settled=bool(settled),
        photo=photo,
        id=number,
    )
