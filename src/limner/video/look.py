"""The first look at a clip: the faces of all frames, whose they are, and where shots begin.

What was seen of a frame is a line of a file, so that a look that was interrupted goes on there; and it is read back
from that line, so that one that wasn't sees the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from limner.faces.align import crop, similarity
from limner.faces.recogniser import SIDE, Recogniser
from limner.faces.seen import seen
from limner.restorer import Restorer
from limner.video.cuts import Cuts
from limner.video.picture import View
from limner.video.pyav import ClipError
from limner.video.read import Part, frames_of
from limner.video.tracks import Sighting, Track, Tracker

FEW = 3
"""Sightings that a track has at least: what is found less often is no face; of a shorter shot, as many as it has."""


@dataclass
class Looked:
    """What a clip shows.

    Attributes:
        times: of its frames, in its time base.
        lengths: how long each says it is shown, likewise; 0 where it says nothing.
        cuts: frames with which a shot begins, without the first.
        tracks: the faces, the largest first, which is their number.
    """

    times: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    tracks: list[Track] = field(default_factory=list)

    def shot(self, frame: int) -> tuple[int, int]:
        """The first frame of the shot with a frame, and the one behind its last."""
        edges = [0, *self.cuts, len(self.times)]
        place = int(np.searchsorted(edges, frame, side="right"))
        return edges[place - 1], edges[place]


class Looker:
    """Looks at a clip.

    Args:
        restorer: whose placing finds the faces.
        view: of the clip's frames.
        part: that is looked at.
        file: where the lines stand.
    """

    def __init__(self, restorer: Restorer, view: View, part: Part, file: Path):
        self.restorer, self.view, self.part, self.file = restorer, view, part, file
        self._recogniser: Recogniser | None = None
        self._looked, self._cuts, self._tracker = Looked(), Cuts(), Tracker()

    def look(self, progress: Callable[[int], None] | None = None) -> Looked:
        """Looks at all frames.

        Args:
            progress: called with how many have been looked at.

        Raises:
            ClipError: there is no frame.
        """
        lines = self._lines()
        with self.file.open("a", encoding="utf-8") as file:
            for number, frame in enumerate(frames_of(self.view.info, self.part)):
                if number < len(lines) - 1:
                    self._take(lines[number])
                    continue
                rgb = self.view.shown(self.view.native(frame))
                apart = self._cuts.apart(rgb)
                if number < len(lines):  # the last one: its picture is what the next is held against
                    self._take(lines[number])
                    continue
                line = {"time": frame.pts, "length": frame.duration or 0, "apart": round(apart, 6)}
                line["faces"] = [self._face(rgb, face) for face in self.restorer.placing.find(rgb)]
                self._take(line, rgb)
                file.write(json.dumps(line) + "\n")
                file.flush()
                if progress:
                    progress(number + 1)
        if not self._looked.times:
            raise ClipError(f"{self.view.info.path} has no frame there: give another --from or --to.")
        self._looked.tracks = [one for one in self._tracker.tracks if self._is_face(one)]
        self._looked.tracks.sort(key=lambda one: (-one.size * len(one.frames) ** 0.5, one.number))
        for number, track in enumerate(self._looked.tracks):
            track.number = number
        return self._looked

    def _lines(self) -> list[dict[str, Any]]:
        """What an earlier look saw; a line that it didn't finish is cut off."""
        if not self.file.is_file():
            return []
        text = self.file.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            self.file.write_text(whole, encoding="utf-8")
        return [json.loads(line) for line in whole.splitlines()]

    def _face(self, rgb: np.ndarray, found: Any) -> dict[str, Any]:
        one = seen(rgb, found, self.restorer.placing, self.restorer.size)
        sure = one.pose is not None and one.pose.sure
        return {
            "points": [[round(float(x), 3), round(float(y), 3)] for x, y in one.landmarks],
            "score": round(float(one.score), 4),
            "size": round(float(one.size), 3),
            "yaw": round(float(one.pose.yaw), 1) if one.pose and sure else None,
            "damage": None if one.damage is None else round(float(one.damage), 4),
            "outside": round(float(one.outside), 4),
        }

    def _take(self, line: dict[str, Any], rgb: np.ndarray | None = None) -> None:
        """Takes what was seen of the next frame; with its picture, what the recogniser says is put into the line."""
        number = len(self._looked.times)
        self._looked.times.append(line["time"])
        self._looked.lengths.append(line["length"])
        cut = self._cuts.is_cut(line["apart"])
        if cut:
            self._looked.cuts.append(number)
        faces = [
            Sighting(**{**{k: v for k, v in one.items() if k != "vector"}, "points": np.array(one["points"])})
            for one in line["faces"]
        ]

        def describe(place: int) -> np.ndarray:
            if rgb is not None:
                line["faces"][place]["vector"] = self._vector(rgb, faces[place])
            return np.array(line["faces"][place]["vector"])

        time = float(line["time"] * self.view.info.time_base)
        self._tracker.see(number, time, faces, describe, cut)

    def _vector(self, rgb: np.ndarray, face: Sighting) -> list[float]:
        self._recogniser = self._recogniser or Recogniser()
        return [round(float(one), 5) for one in described(self._recogniser, rgb, face)]

    def _is_face(self, track: Track) -> bool:
        first, end = self._looked.shot(track.frames[0])
        return len(track.frames) >= min(FEW, end - first)


def described(recogniser: Recogniser, rgb: np.ndarray, face: Sighting) -> np.ndarray:
    """The recogniser's vector of a face of a frame, (H, W, 3) uint8."""
    return recogniser([crop(rgb, similarity(face.points, SIDE), SIDE)], [face.damage])[0]
