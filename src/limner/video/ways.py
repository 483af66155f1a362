"""The way of a face through its shot: where it is in every frame, smoothed, and how much of it is restored there."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from limner.errors import LimnerError
from limner.faces.align import similarity
from limner.faces.join import frame_of
from limner.faces.seen import PROFILE
from limner.settings import Settings
from limner.video.look import Looked
from limner.video.smooth import smoothed
from limner.video.tracks import Track

MOST_HIDDEN = 0.5
"""Seconds for which a face that nobody sees is restored where it should be; if it is longer away it is hidden."""
_FADE = 4  # frames in which a restoration comes and goes within a shot
_TURNING = 10.0  # degrees before a profile over which a restoration goes
_YAWS = 3.0  # frames: deviation of the curve that smooths the turns


@dataclass(frozen=True, eq=False)
class Way:
    """Where one face is.

    Attributes:
        track: whose it is.
        first: frame with which it begins.
        points: (T, 5, 2) float64, its landmarks in that frame and those that follow.
        presence: (T,) how much of the restoration is shown, 0 to 1.
        side: of the aligned frame in which it is steadied, in pixels.
    """

    track: Track
    first: int
    points: np.ndarray
    presence: np.ndarray
    side: int

    def at(self, frame: int) -> tuple[np.ndarray, float] | None:
        """Landmarks (5, 2) and presence in a frame; None where the face isn't."""
        place = frame - self.first
        if not 0 <= place < len(self.presence) or self.presence[place] <= 0:
            return None
        return self.points[place], float(self.presence[place])


def chosen_tracks(looked: Looked, settings: Settings) -> list[Track]:
    """The tracks that are restored.

    Raises:
        LimnerError: one that the clip hasn't got was asked for.
    """
    tracks = looked.tracks
    if not isinstance(settings.faces, str):
        for number in settings.faces:
            if not 0 <= number < len(tracks):
                many = f"{len(tracks)} (0 to {len(tracks) - 1})" if tracks else "none"
                there = "1, face 0" if len(tracks) == 1 else many
                raise LimnerError(f"There is no face {number}: the clip has {there}, each followed through its shot.")
        tracks = [tracks[number] for number in dict.fromkeys(settings.faces)]
    elif settings.faces == "largest":
        tracks = tracks[:1]
    return [
        one
        for one in tracks
        if one.size >= settings.min_face and np.median([face.score for face in one.seen]) >= settings.min_score
    ]


def way_of(track: Track, looked: Looked, seconds: np.ndarray, size: int, named: bool) -> Way:
    """The way of a track.

    Args:
        track: of `looked`.
        looked: the clip's.
        seconds: of all its frames.
        size: of the net's crop in pixels.
        named: whether the user asked for this very face: then it is restored in profile, too.
    """
    first, last = track.frames[0], track.frames[-1]
    times = seconds[first : last + 1]
    seen, values = np.zeros(len(times), bool), np.zeros((len(times), 10))
    places = np.array(track.frames) - first
    seen[places], values[places] = True, [one.points.ravel() for one in track.seen]
    points = smoothed(times - times[0], seen, values).reshape(-1, 5, 2)
    begins, end = looked.shot(first)
    presence = _shown(times, places, fades_in=first > begins, fades_out=last + 1 < end)
    if not named:
        yaws = [one.yaw or 0.0 for one in track.seen]
        presence = presence * _frontal(np.interp(np.arange(len(times)), places, yaws))
    sides = [size / float(np.sqrt(abs(np.linalg.det(similarity(one, size)[:, :2])))) for one in points]
    return Way(track, first, points, presence, frame_of(max(sides), size))


def _shown(times: np.ndarray, places: np.ndarray, fades_in: bool, fades_out: bool) -> np.ndarray:
    """1 where a face is, 0 where it is hidden for long, with slopes where it comes and goes within its shot."""
    there = np.ones(len(times))
    for before, after in pairwise(places.tolist()):
        if times[after] - times[before] > MOST_HIDDEN:
            there[before + 1 : after] = 0
    padded = np.concatenate([[0.0 if fades_in else 1.0], there, [0.0 if fades_out else 1.0]])
    absent = np.flatnonzero(padded == 0)
    if not len(absent):
        return there
    distance = np.abs(np.arange(len(padded))[:, None] - absent).min(1)[1:-1]
    return np.minimum(there, distance / (_FADE + 1))


def _frontal(yaws: np.ndarray) -> np.ndarray:
    """How much of the restoration is shown of a face that is turned so far, by its degrees in each frame."""
    smooth = cv2.GaussianBlur(np.abs(yaws)[:, None], (1, 0), sigmaX=1e-3, sigmaY=_YAWS, borderType=cv2.BORDER_REPLICATE)
    return np.clip((PROFILE - smooth[:, 0]) / _TURNING, 0, 1)
