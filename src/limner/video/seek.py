"""Where decoding begins for a part of a clip: at a keyframe before it, if all frames of the part are then what they are
when the clip is decoded from its beginning.

That is known where packets are read from a keyframe on, and each of the frames between that and the part is whole and
has its own time, later than the one before. Where it isn't, nobody seeks: without times, in a file in which FFmpeg
can't, or where a picture is built up over many frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING

from limner.video.pyav import pyav

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

SETTLED = Fraction(1)
"""Seconds before the part that must be decoded without any doubt: a time can't be wrong by more (`read.BACKWARDS`)."""
_FURTHER = Fraction(10)
"""Seconds before it at which a second try begins, where the first one didn't come upon a keyframe in time."""


def sought(container: InputContainer, stream: VideoStream, begins: int, start: float) -> Iterator[VideoFrame] | None:
    """The frames of a part, decoded from a keyframe before it on.

    Args:
        container: open.
        stream: of it.
        begins: time of the clip's first frame.
        start: of the part, in seconds from there.

    Returns:
        The last frame before the part and those that follow; None where the clip must be decoded from its beginning,
        for which it has to be opened anew.
    """
    base = stream.time_base
    if base is None:
        return None
    for before in (SETTLED, _FURTHER):
        wanted, settled = (begins + int((Fraction(start) - one) / base) for one in (before, SETTLED))
        if wanted <= begins:
            return None
        try:
            container.seek(wanted, stream=stream)
        except (OSError, ValueError, pyav().FFmpegError):
            return None
        found = _settled(container, stream, settled, begins + Fraction(start) / base)
        if found is not None:
            return found
    return None


def _settled(
    container: InputContainer, stream: VideoStream, settled: int, start: Fraction
) -> Iterator[VideoFrame] | None:
    """The frames from the last one before `start` on; None where one between `settled` and that is in doubt."""
    packets = container.demux(stream)
    key = next((packet for packet in packets if packet.is_keyframe), None)
    if key is None or key.pts is None or key.pts > settled:
        return None
    frames, last, latest = decoded(chain([key], packets)), None, key.pts
    for frame in frames:
        time = frame.pts
        if time is None or frame.is_corrupt:
            return None
        if last is None and time < latest:  # shown before the keyframe, and made of what lies before it
            continue
        if time != latest if last is None else time <= latest:
            return None
        if time >= start:
            return None if last is None else chain([last, frame], frames)
        last, latest = frame, time
    return iter([last] if last else [])


def decoded(packets: Iterator[Packet]) -> Iterator[VideoFrame]:
    """The frames of packets; one that can't be decoded costs its own alone."""
    damaged = pyav().error.FFmpegError
    for packet in packets:
        try:
            yield from packet.decode()
        except damaged:
            continue
