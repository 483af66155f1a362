"""A clip and its frames, in the order in which they are shown, none left out and each with its own time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from limner.video.pyav import ClipError, pyav
from limner.video.seek import decoded, sought

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

USUAL_RATE = Fraction(25)
"""Frames a second where a file says nothing."""
BACKWARDS = 1.0
"""Seconds by which a frame may lie before the last; more is no fault of one frame's time."""


@dataclass(frozen=True)
class Colours:
    """How a clip's numbers are colours, in FFmpeg's counting; 2 (of `range` 0) is what nobody has said."""

    range: int
    primaries: int
    transfer: int
    matrix: int


@dataclass(frozen=True)
class ClipInfo:
    """What is known of a clip before its frames are read.

    Attributes:
        path: of the file.
        width, height: of its frames in pixels, as they are stored.
        codec: FFmpeg's name of its codec, such as `h264`.
        pixels: FFmpeg's name of the pixels' layout, such as `yuv420p`.
        rate: frames a second, on the mean.
        time_base: seconds in which its times are counted.
        turn: degrees by which players turn it anticlockwise before they show it: 0, 90, 180 or 270.
        aspect: width of a pixel over its height.
        colours: see `Colours`.
        seconds: its length; None where the file doesn't say.
        begins: time of its first frame.
    """

    path: Path
    width: int
    height: int
    codec: str
    pixels: str
    rate: Fraction
    time_base: Fraction
    turn: int
    aspect: Fraction
    colours: Colours
    seconds: float | None
    begins: int = 0


@dataclass(frozen=True)
class Part:
    """The part of a clip that is looked at.

    Attributes:
        start, end: in seconds from the clip's beginning; None is its end.
    """

    start: float = 0.0
    end: float | None = None

    def __post_init__(self) -> None:
        """
        Raises:
            ClipError: it is empty or begins before the clip.
        """
        if not self.start >= 0 or (self.end is not None and not self.end > self.start):
            end = "the end" if self.end is None else f"{self.end:g}"
            raise ClipError(f"There is nothing from {self.start:g} s to {end} s: give times with --from before --to.")

    @property
    def whole(self) -> bool:
        """Whether it is all of the clip."""
        return not self.start and self.end is None


@contextmanager
def opened(path: Path) -> Iterator[InputContainer]:
    """A clip's file while it is read.

    Raises:
        ClipError: it is missing, no clip, or PyAV isn't installed.
    """
    av = pyav()
    if not path.is_file():
        raise ClipError(f"There is no clip {path}: check the path.")
    try:
        container = av.open(str(path), "r", metadata_errors="replace")
    except (OSError, ValueError) as error:  # FFmpeg's errors are both
        raise ClipError(f"{path} can't be read as a moving picture ({error}): play it to see whether it is.") from error
    with container:
        yield container


def picture_stream(container: InputContainer, path: Path) -> VideoStream:
    """The stream of the moving picture itself; covers of albums are none.

    Raises:
        ClipError: there is none.
    """
    streams = [one for one in container.streams.video if not one.disposition & type(one.disposition).attached_pic]
    if not streams:
        raise ClipError(f"{path} holds no moving picture, only sound or a cover: give another file.")
    return streams[0]


def clip_info(path: Path) -> ClipInfo:
    """What is known of a clip, its first frame being looked at.

    Raises:
        ClipError: it can't be read, or has no frame.
    """
    with opened(path) as container:
        stream = picture_stream(container, path)
        first = next(_decoded(container, stream), None)
        if first is None:
            raise ClipError(f"{path} holds no frame that can be decoded: play it to see whether it is whole.")
        context = stream.codec_context
        length = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None
        rate = stream.average_rate or stream.guessed_rate or stream.base_rate
        return ClipInfo(
            path,
            first.width,
            first.height,
            context.codec.canonical_name,
            first.format.name,
            rate if rate and 0 < rate <= 1000 else USUAL_RATE,
            stream.time_base or 1 / USUAL_RATE,
            round(first.rotation / 90) % 4 * 90,
            stream.sample_aspect_ratio or context.sample_aspect_ratio or Fraction(1),
            Colours(first.color_range, first.color_primaries, first.color_trc, first.colorspace),
            length or (container.duration and container.duration / 1_000_000) or None,
            first.pts or 0,
        )


def frames_of(info: ClipInfo, part: Part | None = None) -> Iterator[VideoFrame]:
    """A clip's frames with their times, which rise strictly; of damaged packets nothing is shown.

    Args:
        info: of the clip.
        part: that is wanted; None is all.

    Raises:
        ClipError: it can't be read any more.
    """
    part = part or Part()
    if part.start:
        with opened(info.path) as container:
            stream = picture_stream(container, info.path)
            stream.thread_count = 1
            found = sought(container, stream, info.begins, part.start)
            if found is not None:
                yield from _in_part(found, info, part)
                return
    with opened(info.path) as container:
        yield from _in_part(_decoded(container, picture_stream(container, info.path)), info, part)


def _in_part(frames: Iterator[VideoFrame], info: ClipInfo, part: Part) -> Iterator[VideoFrame]:
    """Those of a part of the clip, their times made to rise."""
    step = max(round(1 / (info.rate * info.time_base)), 1)
    last = None
    for frame in frames:
        time = frame.pts if frame.pts is not None else frame.dts
        if time is None:
            time = 0 if last is None else last + step
        elif last is not None and time <= last:
            if float((last - time) * info.time_base) > BACKWARDS:
                raise ClipError(
                    f"The times of {info.path} begin anew after {float((last - info.begins) * info.time_base):.1f} "
                    "s, as those of joined files do: let FFmpeg write it anew, or restore its parts."
                )
            time = last + 1
        frame.pts, frame.time_base, last = time, info.time_base, time
        seconds = float((time - info.begins) * info.time_base)
        if part.end is not None and seconds >= part.end:
            return
        if seconds >= part.start:
            yield frame


def _decoded(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """The frames of a stream from its beginning."""
    stream.thread_count = 1  # as many threads as there are cores would hold as many frames more
    return decoded(container.demux(stream))
