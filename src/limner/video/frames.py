"""The frames of a clip, one after another, their faces restored, steadied and put back.

frame --> crops --> method --> moments --> shares smoothed --> pictures averaged --> put back

Some twenty frames are held at a time: a frame is ready when those that decide what becomes of it are known.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from limner.faces.align import crop, similarity
from limner.faces.find import face_of
from limner.faces.join import Joined
from limner.faces.paste import Place
from limner.faces.put_back import PutBack
from limner.faces.references import References
from limner.faces.tone import Tone, keep_tone
from limner.photo.photo import Photo
from limner.restorer import Restorer, seed_of
from limner.video.picture import View
from limner.video.read import Part, frames_of
from limner.video.steady import SHARES_WITHIN, WITHIN, Moment, join, moment, steadied
from limner.video.ways import Way

if TYPE_CHECKING:
    from av.video.frame import VideoFrame


@dataclass(eq=False)
class _Waiting:
    """A frame whose neighbours aren't all known yet."""

    number: int
    native: VideoFrame
    rgb: np.ndarray | None
    tints: dict[int, Tone]


@dataclass(eq=False)
class RestoredFrames:
    """The restored frames of a clip.

    Attributes:
        restorer: that restores them.
        view, part: of the clip.
        ways: of the faces that are restored.
        references: of tracks, by their numbers.
        made_up: of each frame that had a face, how much of it is made up, 0 to 1; grows with the frames.
    """

    restorer: Restorer
    view: View
    part: Part
    ways: Sequence[Way]
    references: Mapping[int, References]
    made_up: list[float] = field(default_factory=list)

    def starting(self, start: int) -> Iterator[VideoFrame]:
        """The frames from one on, restored, in their own layout."""
        waiting: deque[_Waiting] = deque()
        moments: dict[int, dict[int, Moment]] = {way.track.number: {} for way in self.ways}
        for number, frame in enumerate(frames_of(self.view.info, self.part)):
            if number < start - WITHIN:
                continue
            waiting.append(self._begun(number, self.view.native(frame), moments))
            self._join(moments, number - SHARES_WITHIN)
            if waiting[0].number + WITHIN == number:
                yield from self._finished(waiting, moments, start)
        newest = waiting[-1].number if waiting else 0
        for number in range(newest - SHARES_WITHIN + 1, newest + 1):
            self._join(moments, number)
        while waiting:
            yield from self._finished(waiting, moments, start)

    def _begun(self, number: int, native: VideoFrame, moments: dict[int, dict[int, Moment]]) -> _Waiting:
        """A frame, its faces restored each by itself."""
        there = [(way, at) for way in self.ways if (at := way.at(number)) is not None]
        if not there:
            return _Waiting(number, native, None, {})
        rgb, tints, size = self.view.shown(native), {}, self.restorer.size
        for way, (points, presence) in there:
            track, matrix = way.track.number, similarity(points, size)
            place = Place.of(matrix, size, rgb.shape[1], rgb.shape[0])
            if place is None:
                continue
            before = crop(rgb, matrix, size)
            known = [self.references[track]] if track in self.references else []
            (restored,) = self.restorer.restore_crops([before], [track], references=known)
            tints[track] = self.restorer.placing.tone(rgb, face_of(points, 1.0))
            toned = keep_tone(before.astype(np.float32) / 255, restored.samples[0], tints[track])
            own = replace(restored, samples=[toned])
            moments[track][number] = moment(self.restorer.joiner, rgb, place, own, way.side, presence)
        return _Waiting(number, native, rgb, tints)

    def _join(self, moments: dict[int, dict[int, Moment]], number: int) -> None:
        for of_track in moments.values():
            if number in of_track:
                join(self.restorer.joiner, of_track, number)

    def _finished(
        self, waiting: deque[_Waiting], moments: dict[int, dict[int, Moment]], start: int
    ) -> Iterator[VideoFrame]:
        """The oldest frame that waits, its faces steadied and put back; none of those before the start."""
        one = waiting.popleft()
        if one.number >= start:
            yield one.native if one.rgb is None else self._put_back(one, one.rgb, moments)
        for of_track in moments.values():
            of_track.pop(one.number - WITHIN, None)

    def _put_back(self, one: _Waiting, rgb: np.ndarray, moments: dict[int, dict[int, Moment]]) -> VideoFrame:
        steady = _Steadied()
        put_back = PutBack(Photo(rgb, "PNG"), rgb, self.restorer.settings, steady)
        for way in self.ways:
            track = way.track.number
            now, at = moments[track].get(one.number), way.at(one.number)
            if now is None or at is None:
                continue
            steady.joined = steadied(moments[track], one.number)
            seed = seed_of(self.restorer.settings.seed, track, one.number)  # grain lives: other grain in every frame
            put_back.face([now.restored], similarity(at[0], self.restorer.size), one.tints[track], [seed])
        self.made_up.append(put_back.share_invented)
        return self.view.changed(one.native, rgb, put_back.canvases[0])


class _Steadied:
    """Stands where `PutBack` has a joiner: what is joined is known already."""

    joined: Joined

    def __call__(self, part: np.ndarray, samples: Sequence[np.ndarray], place: Place) -> Joined:
        return self.joined
