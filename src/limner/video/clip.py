"""The way of a clip through limner. Start reading here.

file --> looked at: faces, tracks, shots --> ways: smoothed --> each frame: crops --> method --> moments --> steadied
     --> put back --> segments --> file
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from limner.errors import LimnerError
from limner.photo.provenance import digest_of
from limner.restorer import Restorer
from limner.settings import Settings
from limner.version import __version__
from limner.video.encode import Encoding
from limner.video.fits import check_target
from limner.video.frames import RestoredFrames
from limner.video.look import Looked, Looker
from limner.video.picture import View
from limner.video.pyav import ClipError
from limner.video.read import Part, clip_info
from limner.video.references import ClipReferences, references_of
from limner.video.segments import FRAMES, Segments
from limner.video.tracks import Track
from limner.video.ways import Way, chosen_tracks, way_of
from limner.video.write import Kept, write_clip

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
    saving, started, told = saving or ClipSaving(), time.perf_counter(), told or (lambda *_: None)
    check_settings(restorer.settings)
    if target.resolve() == source.resolve():
        raise ClipError(f"The result would replace {source}: give another output.")
    info = clip_info(source)
    encoding = Encoding.of(info, target, saving.codec, saving.quality)
    check_target(encoding, target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with Segments(target, _made_of(restorer, source, encoding, saving)) as segments:
        clip = _looked_at(restorer, View(info, encoding.pixels), saving, segments, told)
        looked, total = clip.looked, len(clip.looked.times)
        done = min(segments.done() * FRAMES, total)
        frames = RestoredFrames(restorer, clip.view, saving.part, clip.ways, clip.references.each)
        if done < total:
            segments.make(encoding, frames.starting(done), done, total, lambda count: told("restoring", count, total))
        last = looked.lengths[-1] or (looked.times[-1] - looked.times[-2] if total > 1 else 1)
        words = _words(restorer, clip) if saving.provenance and clip.tracks else None
        notes = write_clip(Kept(encoding, looked.times, last, saving.part, words), segments, target)
        segments.remove()
    return RestoredClip(
        total,
        looked.tracks,
        clip.tracks,
        time.perf_counter() - started,
        total - done,
        float(np.mean(frames.made_up)) if frames.made_up else None,
        [*encoding.notes, *clip.references.notes, *notes],
    )


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


@dataclass(frozen=True, eq=False)
class _LookedAt:
    """What is known of a clip before a frame is restored: what it shows, which tracks are restored, their ways and what
    they are restored with."""

    view: View
    looked: Looked
    tracks: list[Track]
    ways: list[Way]
    references: ClipReferences


def _looked_at(restorer: Restorer, view: View, saving: ClipSaving, segments: Segments, told: Told) -> _LookedAt:
    """Looks at all frames."""
    info, part, settings = view.info, saving.part, restorer.settings
    end = min(one for one in (part.end, info.seconds, float("inf")) if one)
    expected = max(end - part.start, 0) * float(info.rate) if info.seconds or part.end else 0
    looker = Looker(restorer, view, part, segments.file("seen.jsonl"))
    looked = looker.look(lambda done: told("looking for faces", done, round(expected) or None))
    tracks = chosen_tracks(looked, settings)
    seconds = np.array([float(one * info.time_base) for one in looked.times])
    named = not isinstance(settings.faces, str)
    ways = [way_of(one, looked, seconds, restorer.size, named) for one in tracks]
    references = references_of(restorer, view, part, looked, tracks, saving.own_references)
    return _LookedAt(view, looked, tracks, ways, references)


def _words(restorer: Restorer, clip: _LookedAt) -> str:
    """What the file says of its restoration."""
    made = restorer.provenance(None, len(clip.tracks), None, clip.references.count)
    known = f", {made.references} references" if made and made.references else ""
    how = f"{restorer.method.info.name}, seed {restorer.settings.seed}{known}"
    return f"faces restored by limner {__version__} ({how})"
