"""Who is in a photograph: somebody of the album, perhaps, or nobody whom it knows.

A face is compared with all faces of the album, block by block, and so with the mean direction of each person's. It is
known where its person is alike enough and everybody else is enough less so.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np

from limner.album.store import Vectors

Verdict = Literal["said", "known", "unsure", "nobody"]

BLOCK = 1 << 14
"""Faces that are compared at once."""

COPY = 0.9985
"""Cosine from which two faces are of the same exposure: the same file stored anew, enlarged or cropped."""

NEXT, STRANGER = 0.6, 0.35
"""How much of the likeness with the next most alike person counts against the most alike, and how alike some stranger
always is: in a small album the next one may be far off, and whom it doesn't know might be nearer."""

KNOWN, UNSURE = 0.26, 0.2
"""What speaks for a person (`evidence`) from where one is known, and from where one may be meant. Chosen on the people
of `train` and `val`, so that hardly 1 % of strangers are named; docs/album.md has the table of the others."""


@dataclass(frozen=True)
class Recognised:
    """Who a face is.

    Attributes:
        verdict: `said`, the user said so of this very photograph; `known`; `unsure`, it may be; `nobody` of the album.
        person: id of who that is, or most likely would be; None where there is nobody to choose from.
        likeness: cosine of the face with that person's mean direction, -1 to 1.
        next: with the next person's, 0 where there is none.
    """

    verdict: Verdict
    person: int | None = None
    likeness: float = 0.0
    next: float = 0.0

    @property
    def evidence(self) -> float:
        """What is held against the thresholds."""
        return evidence(self.likeness, self.next)


def evidence(likeness: float, next: float) -> float:
    """How much speaks for a person: the likeness, less a part of the next one's, or of some stranger's."""
    return likeness - NEXT * max(next, STRANGER)


class Looks:
    """What everybody of an album looks like.

    Args:
        vectors: of all faces.
    """

    def __init__(self, vectors: Vectors):
        self.vectors = vectors
        known = vectors.people >= 0
        seen_clearly = np.isin(vectors.people, vectors.people[vectors.clear & known])
        self._shown = known & (vectors.clear | ~seen_clearly)  # damaged faces tell what no clear one does
        self.people, groups = np.unique(vectors.people[self._shown], return_inverse=True)
        self._group = np.full(len(vectors.people), -1)
        self._group[self._shown] = groups
        self._sums = np.zeros((len(self.people), vectors.vectors.shape[1]), np.float32)
        np.add.at(self._sums, groups, vectors.vectors[self._shown])

    def cosines(self, vector: np.ndarray) -> np.ndarray:
        """How alike a face, (D,) of unit length, is to each of the album's, (N,) float32."""
        every = self.vectors.vectors
        parts = [every[first : first + BLOCK] @ vector for first in range(0, len(every), BLOCK)]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def copies(self, cosines: np.ndarray, photos: Collection[int] = ()) -> np.ndarray:
        """Which faces of the album are the compared one itself: on one of these photographs, or as alike as copies of
        one photograph are, (N,) bool."""
        return (cosines >= COPY) | np.isin(self.vectors.photos, list(photos))

    def likeness(self, vector: np.ndarray, but: np.ndarray) -> np.ndarray:
        """How alike a face is to each of `people`, (P,): the cosine with their mean direction.

        Args:
            vector: (D,) of unit length.
            but: (N,) bool, faces that don't count; who has no other is at -1.
        """
        left_out = np.flatnonzero(but & self._shown)
        sums, counts = self._sums, np.bincount(self._group[self._shown], minlength=len(self.people))
        if len(left_out):
            sums = sums.copy()
            np.subtract.at(sums, self._group[left_out], self.vectors.vectors[left_out])
            counts = counts - np.bincount(self._group[left_out], minlength=len(self.people))
        lengths = np.linalg.norm(sums, axis=1)
        return np.where(counts > 0, sums @ vector / np.maximum(lengths, 1e-6), -1)

    def recognise(self, vector: np.ndarray, photos: Collection[int] = ()) -> Recognised:
        """Who a face is.

        Args:
            vector: (D,) of unit length.
            photos: ids of the photograph itself and its copies, whose faces don't count.
        """
        if not len(self.people):
            return Recognised("nobody")
        alike = self.likeness(vector, self.copies(self.cosines(vector), photos))
        order = np.argsort(-alike)[:2]
        if alike[order[0]] <= -1:
            return Recognised("nobody")
        most = float(alike[order[0]])
        next = float(alike[order[1]]) if len(order) > 1 else 0.0
        found = evidence(most, next)
        verdict = "known" if found >= KNOWN else "unsure" if found >= UNSURE else "nobody"
        return Recognised(verdict, int(self.people[order[0]]), most, next)
