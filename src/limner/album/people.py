"""Who is who in the album: groups of faces that look alike, and the names that people give them.

What a user says stands: a named person is never joined with another by machine, and a face that was put somewhere stays
there, however often the album is brought up to date.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from limner.album.store import Album, drop_nobodies, new_person
from limner.errors import LimnerError


@dataclass(frozen=True)
class Person:
    """Somebody in the album.

    Attributes:
        id: the number by which people without a name are called.
        name: that the user gave; None until then.
        faces: how many the album has.
        photos: on how many photographs.
        settled: whether the user named, merged or split this person.
    """

    id: int
    name: str | None
    faces: int
    photos: int
    settled: bool

    def __str__(self) -> str:
        return self.name or f"person {self.id}"

    @property
    def seen(self) -> str:
        """How often, in words."""
        return f"{self.faces} face{'s' * (self.faces != 1)} on {self.photos} photo{'s' * (self.photos != 1)}"


_PERSON = (
    "SELECT people.id, name, count(faces.id), count(DISTINCT faces.photo), people.settled "
    "FROM people LEFT JOIN faces ON faces.person = people.id WHERE {} GROUP BY people.id "
    "ORDER BY name IS NULL, count(DISTINCT faces.photo) DESC, people.id"
)


def people(album: Album, once: bool = True) -> list[Person]:
    """Everybody, those with names first, then by the number of photographs.

    Args:
        album: open.
        once: whether those count, too, who have no name and are on one photograph only.
    """
    every = [_person(row) for row in album.ask(_PERSON.format("1"))]
    return [one for one in every if once or one.name or one.photos > 1]


def find_person(album: Album, called: str | int) -> Person:
    """The person of a name, or of a number.

    Raises:
        LimnerError: there is nobody of that name or number.
    """
    for question in ("name = ?", "people.id = ?"):
        if found := album.ask(_PERSON.format(question), called):
            return _person(found[0])
    named = ", ".join(one.name for one in people(album) if one.name)
    who = f"it knows {named}" if named else "nobody has a name yet"
    raise LimnerError(f"The album has nobody called '{called}' ({who}): `limner album people` lists all by number.")


def name_person(album: Album, called: str | int, name: str) -> Person:
    """Gives a person a name; if somebody bears it already, both become one.

    Args:
        album: open.
        called: the present name, or the number.
        name: the new one.

    Raises:
        LimnerError: there is no such person, or the name is empty, or a number and so taken for one.
    """
    name = _checked(name)
    with album.change() as rows:
        person = find_person(album, called)
        bearer = album.ask("SELECT id FROM people WHERE name = ?", name)
        if bearer and bearer[0][0] != person.id:
            return _merged(album, rows, find_person(album, bearer[0][0]), [person])
        rows.execute("UPDATE people SET name = ?, settled = 1 WHERE id = ?", (name, person.id))
        _settle(rows, person.id)
        return find_person(album, person.id)


def name_faces(album: Album, faces: Sequence[int], name: str) -> Person:
    """Says that faces, by their ids, are the person of a name, who comes into being if need be.

    Raises:
        LimnerError: the name is empty, or a number.
    """
    name = _checked(name)
    with album.change() as rows:
        found = rows.execute("SELECT id FROM people WHERE name = ?", (name,)).fetchone()
        person = found[0] if found else new_person(rows, settled=True)
        rows.execute("UPDATE people SET name = ?, settled = 1 WHERE id = ?", (name, person))
        rows.executemany("UPDATE faces SET person = ?, settled = 1 WHERE id = ?", [(person, face) for face in faces])
        drop_nobodies(rows)
    return find_person(album, person)


def merge_people(album: Album, into: str | int, others: Sequence[str | int]) -> Person:
    """Makes one person of several.

    Args:
        album: open.
        into: who stays, by name or number; the name of the first that has one is kept.
        others: who are the same person.

    Raises:
        LimnerError: one of them doesn't exist.
    """
    with album.change() as rows:
        return _merged(album, rows, find_person(album, into), [find_person(album, one) for one in others])


def _merged(album: Album, rows: sqlite3.Connection, kept: Person, same: Sequence[Person]) -> Person:
    name = next((one.name for one in (kept, *same) if one.name), None)
    for other in same:
        if other.id != kept.id:
            rows.execute("UPDATE faces SET person = ? WHERE person = ?", (kept.id, other.id))
            rows.execute("DELETE FROM people WHERE id = ?", (other.id,))
    rows.execute("UPDATE people SET name = ?, settled = 1 WHERE id = ?", (name, kept.id))
    _settle(rows, kept.id)
    return find_person(album, kept.id)


def split_person(album: Album, called: str | int, faces: Sequence[int]) -> Person:
    """Takes faces from a person, for they show somebody else.

    Args:
        album: open.
        called: whose faces they are taken for now, by name or number.
        faces: their ids; they become a new person.

    Raises:
        LimnerError: there is no such person, or a face isn't among theirs.
    """
    with album.change() as rows:
        person = find_person(album, called)
        own = {face.id for face in album.faces("person = ?", person.id)}
        if not faces or (strange := set(faces) - own):
            which = f"{person} has no face {min(strange)}" if faces else "No face was named"
            raise LimnerError(f"{which}: `limner album people {person.id}` lists the faces with their numbers.")
        other = new_person(rows, settled=True)
        rows.executemany("UPDATE faces SET person = ? WHERE id = ?", [(other, face) for face in faces])
        rows.execute("UPDATE people SET settled = 1 WHERE id = ?", (person.id,))
        for one in (person.id, other):
            _settle(rows, one)
        drop_nobodies(rows)
    return find_person(album, other)


def forget_person(album: Album, called: str | int) -> Person:
    """Takes a person out of the album: the name, and all of the faces with their vectors. The photographs stay known,
    so that nobody looks at them again until they change.

    Raises:
        LimnerError: there is no such person.
    """
    with album.change() as rows:
        person = find_person(album, called)
        rows.execute("DELETE FROM faces WHERE person = ?", (person.id,))
        rows.execute("DELETE FROM people WHERE id = ?", (person.id,))
    return person


def _checked(name: str) -> str:
    name = name.strip()
    if not name or name.isdecimal():
        raise LimnerError(f"'{name}' is no name for a person, as numbers call those without one: choose a word.")
    return name


def _person(row: tuple) -> Person:
    number, name, faces, photos, settled = row
    return Person(number, name, faces, photos, bool(settled))


def _settle(rows: sqlite3.Connection, person: int) -> None:
    rows.execute("UPDATE faces SET settled = 1 WHERE person = ?", (person,))
