"""The way of a clip through limner. Start reading here.

file --> looked at: faces, tracks, shots --> ways: smoothed --> each frame: crops --> method --> moments --> steadied
     --> put back --> segments --> file
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from limner.errors import LimnerError
from limner.faces.align import crop, similarity
from limner.faces.find import face_of
from limner.faces.join import Joined
from limner.faces.paste import Place
from limner.faces.put_back import PutBack
from limner.faces.tone import Tone, keep_tone
from limner.photo.photo import Photo
from limner.photo.provenance import digest_of
from limner.restorer import Restorer, seed_of
from limner.settings import Settings
from limner.version import __version__
from limner.video.encode import Encoder, Encoding
from limner.video.fits import check_target
from limner.video.look import Looker
from limner.video.picture import View
from limner.video.pyav import ClipError
from limner.video.read import Part, clip_info, frames_of
from limner.video.references import ClipReferences, references_of
from limner.video.segments import FRAMES, Segments
from limner.video.steady import SHARES_WITHIN, WITHIN, Moment, join, moment, steadied
from limner.video.tracks import Track
from limner.video.ways import Way, chosen_tracks, way_of
from limner.video.write import Kept, write_clip

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

Told = Callable[[str, int, int | None], None]
"""Called with what is being done, how many frames of it are done, and of how many; None where nobody knows."""


@dataclass(frozen=True)
class ClipSaving:
    """What of a clip is restored, and how it is stored.

    Attributes:
        part: of the clip.
        codec: FFmpeg's name; None is the clip's own.
        quality: 1 to 100 of lossy codecs; None is `encode.QUALITY`.
        own_references: whether a method that can use references, and isn't given any, takes the clearest frames.
        provenance: whether the result says how it was made.
    """

    part: Part = field(default_factory=Part)
    codec: str | None = None
    quality: int | None = None
    own_references: bool = True
    provenance: bool = True


@dataclass
class RestoredClip:
    """What became of a clip.

    Attributes:
        frames: of the result.
        tracks: all faces of the clip, by their numbers.
        restored: those that were restored.
        seconds: that it took, of this run.
        made: frames that were made in this run; the others were there already.
        invented: how much of the restored faces is made up, 0 to 1; None where nothing was restored in this run.
        notes: sentences for the user.
    """

    frames: int
    tracks: list[Track]
    restored: list[Track]
    seconds: float
    made: int
    invented: float | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def pace(self) -> float:
        """Frames a second, of this run."""
        return self.made / self.seconds if self.seconds else 0.0


def restore_clip(
    restorer: Restorer, source: Path, target: Path, saving: ClipSaving | None = None, told: Told | None = None
) -> RestoredClip:
    """Restores the faces of a clip; what an interrupted run has done is taken up again.

    Args:
        restorer: with its settings, see `check_settings`.
        source: the clip.
        target: the result; its suffix gives the format.
        saving: what of it is restored, and how it is stored.
        told: see `Told`.

    Raises:
        LimnerError: if the settings can't be met, or the clip hasn't got a chosen face.
        ClipError: if it can't be read or written.
    """
    saving, started = saving or ClipSaving(), time.perf_counter()
    check_settings(restorer.settings)
    if target.resolve() == source.resolve():
        raise ClipError(f"The result would replace {source}: give another output.")
    info = clip_info(source)
    encoding = Encoding.of(info, target, saving.codec, saving.quality)
    check_target(encoding, target)
    target.parent.mkdir(parents=True, exist_ok=True)
    segments = Segments(target, _made_of(restorer, source, encoding, saving))
    work = _Work(restorer, View(info, encoding.pixels), encoding, saving, segments, told or (lambda *_: None))
    return work.run(target, started)


def check_settings(settings: Settings) -> None:
    """
    Raises:
        LimnerError: if something is asked that makes no sense for a clip.
    """
    refused = (
        (settings.aligned, "--aligned", "faces are followed through a clip, which is no crop"),
        (settings.upscale > 1, "--upscale", "frames keep their size"),
        (settings.samples > 1, "--samples", "a clip has one result"),
        (settings.background != "keep", "--background", "cleaned frames would flicker"),
        (settings.strength != "auto", "--strength", "a clip is joined octave by octave, steadily"),
    )
    for asked, flag, why in refused:
        if asked:
            raise LimnerError(f"{flag} is for photos ({why}): leave it out.")


def _made_of(restorer: Restorer, source: Path, encoding: Encoding, saving: ClipSaving) -> dict[str, object]:
    """What decides every bit of a result."""
    settings = restorer.settings
    _, references = restorer.references.recorded(source)
    return {
        "source": digest_of(source),
        "part": [saving.part.start, saving.part.end, saving.own_references],
        "encoder": [encoding.encoder, encoding.pixels, encoding.quality, encoding.format],
        "method": [settings.method, restorer.method.info.name, settings.seed, restorer.finish, settings.scheduler],
        "steps": restorer.options.steps,
        "weights": [digest_of(one) for one in sorted(Path(settings.weights).rglob("*.safetensors"))],
        "options": settings.recorded(restorer.options, references),
        "precision": restorer.compute.precision,
        "version": __version__,
    }


@dataclass(eq=False)
class _Waiting:
    """A frame whose neighbours aren't all known yet."""

    number: int
    native: VideoFrame
    rgb: np.ndarray | None
    tints: dict[int, Tone]


@dataclass(eq=False)
class _Work:
    """One clip's restoration."""

    restorer: Restorer
    view: View
    encoding: Encoding
    saving: ClipSaving
    segments: Segments
    told: Told
    ways: list[Way] = field(default_factory=list)
    references: ClipReferences = field(default_factory=ClipReferences)
    made_up: list[float] = field(default_factory=list)

    def run(self, target: Path, started: float) -> RestoredClip:
        info, part = self.view.info, self.saving.part
        end = min(one for one in (part.end, info.seconds, float("inf")) if one)
        expected = max(end - part.start, 0) * float(info.rate) if info.seconds or part.end else 0
        looker = Looker(self.restorer, self.view, part, self.segments.file("seen.jsonl"))
        looked = looker.look(lambda done: self.told("looking for faces", done, round(expected) or None))
        tracks = chosen_tracks(looked, self.restorer.settings)
        seconds = np.array([float(one * info.time_base) for one in looked.times])
        named = not isinstance(self.restorer.settings.faces, str)
        self.ways = [way_of(one, looked, seconds, self.restorer.size, named) for one in tracks]
        self.references = references_of(self.restorer, self.view, part, looked, tracks, self.saving.own_references)
        done = self.segments.done()
        count = -(-len(looked.times) // FRAMES)
        if done < count:
            self._encode(done, len(looked.times))
        last = looked.lengths[-1] or (looked.times[-1] - looked.times[-2] if len(looked.times) > 1 else 1)
        words = self._words(len(tracks)) if self.saving.provenance and tracks else None
        notes = write_clip(Kept(self.encoding, looked.times, last, part, words), self.segments, target)
        self.segments.remove()
        return RestoredClip(
            len(looked.times),
            looked.tracks,
            tracks,
            time.perf_counter() - started,
            len(looked.times) - min(done * FRAMES, len(looked.times)),
            float(np.mean(self.made_up)) if self.made_up else None,
            [*self.encoding.notes, *self.references.notes, *notes],
        )

    def _encode(self, done: int, total: int) -> None:
        """Makes the segments that are missing."""
        encoder, packets = Encoder(self.encoding), []
        for number, frame in enumerate(self._restored(done * FRAMES), done * FRAMES):
            packets += encoder.frame(frame)
            if (number + 1) % FRAMES == 0 or number + 1 == total:
                packets += encoder.rest()
                self.segments.write(number // FRAMES, packets)
                encoder, packets = Encoder(self.encoding), []
            self.told("restoring", number + 1, total)

    def _restored(self, start: int) -> Iterator[VideoFrame]:
        """The frames from one on, restored."""
        waiting: deque[_Waiting] = deque()
        moments: dict[int, dict[int, Moment]] = {way.track.number: {} for way in self.ways}
        for number, frame in enumerate(frames_of(self.view.info, self.saving.part)):
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
            known = [self.references.each[track]] if track in self.references.each else []
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
        put_back = PutBack(Photo(rgb, "PNG"), rgb, self.restorer.settings, steady)  # type: ignore[arg-type]  # as a joiner
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

    def _words(self, faces: int) -> str:
        """What the file says of its restoration."""
        made = self.restorer.provenance(None, faces, None, self.references.count)
        known = f", {made.references} references" if made and made.references else ""
        settings = self.restorer.settings
        return f"faces restored by limner {__version__} ({self.restorer.method.info.name}, seed {settings.seed}{known})"


class _Steadied:
    """Stands where `PutBack` has a joiner: what is joined is known already."""

    joined: Joined

    def __call__(self, part: np.ndarray, samples: Sequence[np.ndarray], place: Place) -> Joined:
        return self.joined
