"""Faces that look alike become people: average linkage, which chains less than single linkage does.

How alike two groups are is the mean cosine of their pairs, which is the product of their mean vectors. Two faces of one
photograph are never one person.
"""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterator

import numpy as np

from limner.album.store import Album, Vectors, drop_nobodies, new_person

JOIN = 0.7
"""Mean cosine from which two groups become one."""


class Groups:
    """Groups of faces while they grow; each is called by its place, which it keeps.

    Args:
        vectors: of all faces.
    """

    def __init__(self, vectors: Vectors):
        self.vectors = vectors
        self.members: list[list[int]] = []
        self._photos: list[set[int]] = []
        self._sums = np.zeros((256, vectors.vectors.shape[1]), np.float32)
        self._counts = np.zeros(256, np.float32)

    def __len__(self) -> int:
        return len(self.members)

    @property
    def means(self) -> np.ndarray:
        """The mean vectors, (G, D) float32; 0 of a group that went into another."""
        return self._sums[: len(self)] / np.maximum(self._counts[: len(self)], 1)[:, None]

    def add(self, members: list[int]) -> int:
        """One group more, of the faces at these places.

        Returns:
            Its place.
        """
        place = len(self)
        if place == len(self._sums):
            self._sums = np.concatenate([self._sums, np.zeros_like(self._sums)])
            self._counts = np.concatenate([self._counts, np.zeros_like(self._counts)])
        self._sums[place] = self.vectors.vectors[members].sum(axis=0)
        self._counts[place] = len(members)
        self.members.append(members)
        self._photos.append(set(self.vectors.photos[members].tolist()))
        return place

    def join(self, into: int, other: int) -> None:
        """Makes one of two groups."""
        self._sums[into] += self._sums[other]
        self._counts[into] += self._counts[other]
        self.members[into] += self.members[other]
        self._photos[into] |= self._photos[other]
        self._sums[other], self._counts[other], self.members[other], self._photos[other] = 0, 0, [], set()

    def alike(self, place: int) -> Iterator[tuple[float, int]]:
        """Groups that a group could be one with, the most alike first, each with the mean cosine."""
        count = len(self)
        mean = self._sums[place] / max(self._counts[place], 1)
        cosines = (self._sums[:count] @ mean) / np.maximum(self._counts[:count], 1)
        found = [one for one in np.flatnonzero(cosines >= JOIN).tolist() if one != place]
        for one in sorted(found, key=lambda one: -cosines[one]):
            if not self._photos[one] & self._photos[place]:
                yield float(cosines[one]), one


def group(album: Album) -> None:
    """Puts clear faces that belong to nobody yet to people who are there or new, and joins people who look alike,
    unless their user named, merged or split them.

    Args:
        album: open; changed in one transaction.
    """
    with album.change() as rows:  # from the first look on, so that nobody is named meanwhile
        vectors = album.vectors()
        if not len(vectors.faces):
            return
        groups, ids, settled = Groups(vectors), dict[int, int](), set[int]()
        for person, said in album.ask("SELECT id, settled FROM people ORDER BY settled DESC, id"):
            place = groups.add(np.flatnonzero(vectors.clear & (vectors.people == person)).tolist())
            ids[place] = person
            settled |= {place} if said else set()
        loose = np.flatnonzero(vectors.clear & (vectors.people < 0)).tolist()
        for face in loose:
            place = groups.add([face])
            nearest = next((one for _, one in groups.alike(place)), None)
            if nearest is not None:
                groups.join(nearest, place)
        _join_alike(groups, settled)
        _write(rows, groups, ids)


def _join_alike(groups: Groups, settled: set[int]) -> None:
    """Joins the two most alike groups, of which neither is settled, again and again."""
    pairs = [
        (-cosine, place, one) for place in range(len(groups)) for cosine, one in groups.alike(place) if one < place
    ]
    heapq.heapify(pairs)
    while pairs:
        cosine, place, one = heapq.heappop(pairs)
        if place in settled or one in settled:
            continue
        now = next((is_ for is_, other in groups.alike(place) if other == one), None)
        if now is None:
            continue
        if -cosine > now:  # it has changed since
            heapq.heappush(pairs, (-now, place, one))
            continue
        groups.join(one, place)
        for likeness, other in groups.alike(one):
            heapq.heappush(pairs, (-likeness, max(one, other), min(one, other)))


def _write(rows: sqlite3.Connection, groups: Groups, ids: dict[int, int]) -> None:
    """Notes who is who now."""
    faces, before = groups.vectors.faces, groups.vectors.people
    for place, members in enumerate(groups.members):
        if not members:
            continue
        person = ids.get(place) or new_person(rows)
        moved = [(person, int(faces[one])) for one in members if before[one] != person]
        rows.executemany("UPDATE faces SET person = ? WHERE id = ?", moved)
    drop_nobodies(rows)
