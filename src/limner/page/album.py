"""What the page has to do with the album: who may see it, whom it shows, what is changed in it. All is asked of
`limner.album`, as on the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from limner.album.people import Person, forget_person, merge_people, name_person, people, split_person
from limner.album.store import Album, AlbumFace, album_file
from limner.errors import LimnerError

MANY_FACES = 24
"""So many faces of a person are shown; the others on request."""


@dataclass(frozen=True)
class Access:
    """What those who reach the page may have of the album.

    Attributes:
        shown: whether they see its names and faces, and may change them.
        folders: whether they may have folders of this machine read.
    """

    shown: bool = True
    folders: bool = True

    @classmethod
    def of(cls, password: str | None, anywhere: bool) -> Access:
        """On loopback both. Where others come in, the album is for those who know the password, and folders are for
        nobody: who may see a page may not look around in the machine behind it.

        Args:
            password: that everybody must give; None asks for none.
            anywhere: whether the page is reached by others than this machine's own.
        """
        return cls(shown=not anywhere or password is not None, folders=not anywhere)

    @property
    def usable(self) -> bool:
        """Whether there is an album, and it may be used."""
        return self.shown and album_file().is_file()


def without_album(told: str) -> str:
    """A sentence without the album's place, which is nobody's business who only sees the page."""
    where = str(album_file())
    return told.replace(f" at {where}", "").replace(f" {where}", "")


@dataclass(frozen=True)
class ShownPerson:
    """Somebody of the album as the page shows them.

    Attributes:
        person: who it is.
        faces: some or all of theirs.
    """

    person: Person
    faces: Sequence[AlbumFace]


@dataclass(frozen=True)
class Gathering:
    """The people that the page shows.

    Attributes:
        people: some or all of them, in the album's order.
        known: what everybody is called, for who looks for them by name.
        more: how many there are besides.
    """

    people: Sequence[ShownPerson]
    known: Sequence[str]
    more: int


def gathered(once: bool, most: int, unfolded: frozenset[int] = frozenset()) -> Gathering:
    """The people of the album with their faces.

    Args:
        once: see `limner.album.people.people`.
        most: how many of them.
        unfolded: those of whom all faces are wanted.

    Raises:
        LimnerError: there is no album, or it can't be read.
    """
    with Album() as album:
        everybody = people(album, once)
        shown = [
            ShownPerson(one, every if one.id in unfolded else every[:MANY_FACES])
            for one in everybody[:most]
            for every in [album.faces("person = ?", one.id)]
        ]
    return Gathering(shown, [one.name or str(one.id) for one in everybody], max(len(everybody) - most, 0))


def known_names() -> list[str]:
    """The names that the album knows; none where there is no album that can be read."""
    with suppress(LimnerError), Album() as album:
        return [one.name for one in people(album) if one.name]
    return []


def changed(asked: Mapping[str, object]) -> str:
    """Does what was asked of a person, and says what became of it.

    Args:
        asked: `what` (name, merge, split or forget), the number of the `person`, and what goes with it: the `name`,
            whom they are the same as (`other`), the numbers of the chosen `faces`.

    Raises:
        LimnerError: it can't be done.
    """
    what, name, other = (str(asked.get(key, "")).strip() for key in ("what", "name", "other"))
    called, faces = str(asked.get("person", "")), asked.get("faces")
    with Album() as album:
        if what == "name":
            person = name_person(album, called, name)
            return f"Saved: {person}, {person.seen}."
        if what == "merge":
            if not other:
                raise LimnerError("Say who is the same person: a name, or the number of one who has none.")
            person = merge_people(album, called, [other])
            return f"One person now: {person}, {person.seen}."
        if what == "split":
            chosen = [int(face) for face in faces if str(face).isdecimal()] if isinstance(faces, list) else []
            if not chosen:
                raise LimnerError("Tick the faces that show somebody else first.")
            person = split_person(album, called, chosen)
            return f"Split off: {person}, {person.seen}."
        if what == "forget":
            return f"{forget_person(album, called)} is forgotten, with all faces."
    raise LimnerError(f"People can be named, merged, split and forgotten, not '{what}'.")
