"""Faces followed through the frames of a clip: by where they are, and by who they are where that leaves a doubt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

NEAR, FAR = 0.5, 3.0
"""How far from where it should be, in its sizes, a face may be found: the same one for sure, and perhaps."""
GROWN = 1.6
"""By what factor it may have grown or shrunk meanwhile."""
ALIKE = 0.5
"""Cosine of the recogniser from which a face that was lost, or is one of several near, is the same."""
LOST = 2.0
"""Seconds for which a face that isn't seen any more is waited for, within a shot."""


@dataclass(frozen=True, eq=False)
class Sighting:
    """A face in a frame.

    Attributes:
        points: (5, 2) float64, as `Face.landmarks`, in pixels of the frame as it is shown.
        score: how sure the finder is, 0 to 1.
        size: side of its box in pixels.
        yaw: degrees by which it is turned; None where the points don't say.
        damage: 0 to 1, see `limner.faces.damage`; None of a face too small to tell.
        outside: part of its box beyond the edge of the frame, 0 to 1.
    """

    points: np.ndarray
    score: float
    size: float
    yaw: float | None = None
    damage: float | None = None
    outside: float = 0.0

    @property
    def centre(self) -> np.ndarray:
        """Of the points, (2,)."""
        return self.points.mean(0)


@dataclass(eq=False)
class Track:
    """One face of one shot.

    Attributes:
        number: its place among all tracks, in the order in which they began.
        frames: in which it was seen.
        seen: the sightings in those.
        vector: its look, by the recogniser, of length 1; the mean of all that was looked at.
    """

    number: int
    frames: list[int] = field(default_factory=list)
    seen: list[Sighting] = field(default_factory=list)
    vector: np.ndarray | None = None

    def add(self, frame: int, sighting: Sighting) -> None:
        """One sighting more."""
        self.frames.append(frame)
        self.seen.append(sighting)

    def describe(self, vector: np.ndarray) -> None:
        """Learns what the face looks like."""
        total = vector if self.vector is None else 3 * self.vector + vector  # more of what was known
        self.vector = total / max(float(np.linalg.norm(total)), 1e-9)

    @property
    def size(self) -> float:
        """Side of its box in pixels, the median."""
        return float(np.median([one.size for one in self.seen]))


@dataclass(eq=False)
class _Followed:
    """A track that may go on: when it was seen last, and how it moves, in pixels a second."""

    track: Track
    time: float
    pace: np.ndarray

    def expected(self, time: float) -> np.ndarray:
        """Where its centre should be, (2,)."""
        return self.track.seen[-1].centre + self.pace * min(time - self.time, 0.2)  # nobody runs straight for long


class Tracker:
    """Follows faces from frame to frame.

    Attributes:
        tracks: all of them, ended ones too.
    """

    def __init__(self) -> None:
        self.tracks: list[Track] = []
        self._followed: list[_Followed] = []

    def see(
        self,
        frame: int,
        time: float,
        faces: Sequence[Sighting],
        describe: Callable[[int], np.ndarray],
        cut: bool = False,
    ) -> list[int]:
        """Takes the faces of the next frame.

        Args:
            frame: its number.
            time: in seconds.
            faces: of it.
            describe: gives the recogniser's vector of a face, by its place; asked only where it is needed.
            cut: whether a shot begins with it: all tracks have ended.

        Returns:
            Of each face the number of its track.
        """
        self._followed = [] if cut else [one for one in self._followed if time - one.time <= LOST]
        owners = self._by_place(time, faces)
        free = [place for place in range(len(faces)) if place not in owners]
        looks = {place: describe(place) for place in free}
        owners |= self._by_look(time, faces, looks, set(map(id, owners.values())))
        for place, face in enumerate(faces):
            known = owners.get(place)
            if known is None:
                known = _Followed(Track(len(self.tracks)), time, np.zeros(2))
                self.tracks.append(known.track)
                self._followed.append(known)
                owners[place] = known
            elif time > known.time:
                pace = (face.centre - known.track.seen[-1].centre) / (time - known.time)
                known.pace = 0.5 * known.pace + 0.5 * pace
            known.track.add(frame, face)
            known.time = time
            if place in looks:
                known.track.describe(looks[place])
        return [owners[place].track.number for place in range(len(faces))]

    def _by_place(self, time: float, faces: Sequence[Sighting]) -> dict[int, _Followed]:
        """The owners of faces that lie where one track alone should be, and that no other face disputes."""
        near = {
            place: [one for one in self._followed if _distance(one, time, face) < NEAR]
            for place, face in enumerate(faces)
        }
        claims = [id(one) for found in near.values() for one in found]
        return {place: found[0] for place, found in near.items() if len(found) == 1 and claims.count(id(found[0])) == 1}

    def _by_look(
        self, time: float, faces: Sequence[Sighting], looks: dict[int, np.ndarray], taken: set[int]
    ) -> dict[int, _Followed]:
        """The owners of the other faces: of those that are alike enough the most alike and nearest."""
        pairs = []
        for place, vector in looks.items():
            for one in self._followed:
                distance = _distance(one, time, faces[place])
                known = one.track.vector
                alike = float(vector @ known) if known is not None else 0.0
                if id(one) not in taken and (distance < NEAR or (distance < FAR and alike >= ALIKE)):
                    pairs.append((alike - 0.5 * distance, place, one))
        owners: dict[int, _Followed] = {}
        for _, place, one in sorted(pairs, key=lambda pair: (-pair[0], pair[1])):
            if place not in owners and id(one) not in taken:
                owners[place] = one
                taken.add(id(one))
        return owners


def _distance(one: _Followed, time: float, face: Sighting) -> float:
    """From where a track should be to a face, in the track's sizes; infinite where the size is another."""
    size = one.track.seen[-1].size
    if not 1 / GROWN < face.size / size < GROWN:
        return float("inf")
    return float(np.linalg.norm(one.expected(time) - face.centre) / size)
