"""The file of a restored clip: its new frames, and everything else of the old file as it is.

Sound, subtitles, chapters, covers and attachments are copied packet by packet, never decoded.
"""

from __future__ import annotations

import heapq
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from limner.photo.write import part_beside
from limner.video.encode import Encoding
from limner.video.pyav import ClipError, pyav
from limner.video.read import ClipInfo, Part, opened, picture_stream
from limner.video.segments import FRAMES, Segments

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet
    from av.stream import Stream

_DATA = frozenset({"data", "unknown"})
_OF_TS = frozenset(
    {"mp1", "mp2", "mp3", "aac", "aac_latm", "ac3", "eac3", "dts", "truehd", "opus", "s302m"}
    | {"dvb_subtitle", "dvb_teletext", "arib_caption", "mpeg1video", "mpeg2video", "mpeg4", "h264", "hevc", "vc1"}
)
"""Codecs that an MPEG transport stream has a name for; FFmpeg writes others so that nobody can read them."""
_MATROSKA = frozenset({"matroska", "webm"})
_TURNED = _MATROSKA | {"mp4", "mov", "3gp", "3g2"}
"""Formats that can say how a clip is turned."""


@dataclass(frozen=True)
class Kept:
    """What a restored clip is made of.

    Attributes:
        encoding: of the frames.
        times: of all frames, in the clip's time base.
        last: how long the last frame is shown, likewise.
        part: of the clip.
        words: what the file says of its restoration; None for nothing.
    """

    encoding: Encoding
    times: Sequence[int]
    last: int
    part: Part
    words: str | None = None

    @property
    def info(self) -> ClipInfo:
        return self.encoding.info

    @property
    def shift(self) -> int:
        """What is taken off the times: a part begins at 0, a whole clip where it began."""
        return 0 if self.part.whole else self.times[0]


def write_clip(kept: Kept, segments: Segments, target: Path) -> list[str]:
    """Writes a clip, whole or not at all.

    Args:
        kept: what it is made of.
        segments: with all frames.
        target: its suffix gives the format.

    Returns:
        What the format had no room for, one sentence each.

    Raises:
        ClipError: the format is unknown or can't hold the frames or the sound.
    """
    part = part_beside(target)
    try:
        with opened(kept.info.path) as source, created(part, kept.encoding.format) as result:
            notes = _fill(kept, segments, source, result, target)
        shutil.copymode(kept.info.path, part)
        part.replace(target)
    except (OSError, ValueError, pyav().FFmpegError) as error:
        if isinstance(error, ClipError):
            raise
        raise ClipError(
            f"{target} can't be written ({error}): choose another place or format. Its frames stay in "
            f"{segments.folder}, where the same command goes on; delete that if it shall not."
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return notes


def created(path: Path, format: str) -> OutputContainer:
    """A file that is begun. Without random ids and dates the same work gives the same bytes; and Matroska would put off
    the whole clip by what the sound begins earlier than 0, as AAC does."""
    options = {"fflags": "+bitexact"} | ({"avoid_negative_ts": "disabled"} if format in _MATROSKA else {})
    return pyav().open(str(path), "w", format=format, container_options=options)


def _fill(kept: Kept, segments: Segments, source: InputContainer, result: OutputContainer, target: Path) -> list[str]:
    """All of the file."""
    picture = kept.encoding.add_to(result)
    before = picture_stream(source, kept.info.path)
    picture.metadata.update(_own_words(before.metadata))
    picture.disposition = before.disposition
    streams, notes = others(source, result, kept.info.path, target)
    if kept.info.turn:
        picture.set_display_rotation(kept.info.turn)
        if kept.encoding.format not in _TURNED:
            notes.append(
                f"{target.name} can't say that the clip is turned by {kept.info.turn} degrees: use .mp4 or .mkv."
            )
    result.metadata.update(_own_words(source.metadata))
    if kept.words:
        said = result.metadata.get("comment")
        result.metadata["comment"] = f"{said}; {kept.words}" if said else kept.words
    if kept.part.whole and source.chapters():
        result.set_chapters(source.chapters())
    result.start_encoding()
    frames = _packets(kept, segments, picture)
    for _, _, packet in heapq.merge(frames, _copied(kept, source, streams), key=lambda one: one[:2]):
        result.mux_one(packet)
    return notes


def _own_words(metadata: dict[str, str]) -> dict[str, str]:
    """What a file says of itself, without what its next writer says anew."""
    stale = ("encoder", "major_brand", "minor_version", "compatible_brands", "handler_name", "vendor_id")
    return {
        name: text
        for name, text in metadata.items()
        if name.lower() not in stale and not name.upper().startswith(("DURATION", "BPS", "NUMBER_OF_", "_STATISTICS"))
    }


def others(
    source: InputContainer, result: OutputContainer, path: Path, target: Path
) -> tuple[dict[int, Stream], list[str]]:
    """The streams beside the picture, by their numbers in the old file.

    Raises:
        ClipError: the sound or the subtitles can't go into the file.
    """
    av = pyav()
    copies, notes, picture = dict[int, "Stream"](), list[str](), picture_stream(source, path)
    for stream in source.streams:
        if stream.index == picture.index:
            continue
        try:
            if result.format.name == "mpegts" and stream.codec_context and _codec(stream) not in _OF_TS:
                raise ValueError("FFmpeg would write it so that nobody can read it")
            copy = result.add_stream_from_template(stream, **({} if stream.type in _DATA else {"opaque": True}))
        except (ValueError, av.FFmpegError) as error:
            if stream.type in _DATA or stream.type == "attachment":
                notes.append(f"Stream {stream.index} of {path.name} ({stream.type}) has no place in {target.name}.")
                continue
            raise ClipError(
                f"{target} can't hold the {stream.type} of {path} ({_codec(stream)}): name the output "
                f"{path.suffix.lower()} or .mkv."
            ) from error
        copy.metadata.update(_own_words(stream.metadata))
        copy.disposition = stream.disposition
        copies[stream.index] = copy
    return copies, notes


def _codec(stream: Stream) -> str:
    """FFmpeg's name of a stream's codec."""
    return stream.codec_context.codec.canonical_name


def _packets(kept: Kept, segments: Segments, picture: Stream) -> Iterator[tuple[float, int, Packet]]:
    """The packets of the frames with the second at which each is decoded."""
    times = [time - kept.shift for time in kept.times]
    count = -(-len(times) // FRAMES)
    every = ((segment * FRAMES + one.frame, one) for segment in range(count) for one in segments.read(segment))
    delay = max(place - number for place, (number, _) in enumerate(every))
    step = times[1] - times[0] if len(times) > 1 else 1
    place = 0
    for segment in range(count):
        for one in segments.read(segment):
            number = segment * FRAMES + one.frame
            packet = pyav().Packet(one.data)
            packet.stream, packet.time_base, packet.pts = picture, kept.info.time_base, times[number]
            # what is decoded in another order than it is shown in begins so much earlier
            packet.dts = times[place - delay] if place >= delay else times[0] - (delay - place) * step
            packet.duration = (times[number + 1] - times[number]) if number + 1 < len(times) else kept.last
            packet.is_keyframe = one.key
            place += 1
            yield float(packet.dts * kept.info.time_base), 0, packet


def _copied(kept: Kept, source: InputContainer, streams: dict[int, Stream]) -> Iterator[tuple[float, int, Packet]]:
    """The packets of all other streams, as they are, each with the second at which it is decoded."""
    if not streams:
        return
    start = kept.shift * kept.info.time_base
    # a part of a clip holds what begins within it
    end = None if kept.part.end is None else kept.info.begins * kept.info.time_base + Fraction(kept.part.end)
    latest = float("-inf")
    for packet in source.demux([source.streams[number] for number in streams]):
        if packet.dts is None and packet.pts is None:  # the end of a stream
            continue
        base = packet.time_base
        decoded = (packet.dts if packet.dts is not None else packet.pts) or 0
        shown = (packet.pts if packet.pts is not None else decoded) * base
        stays = packet.stream.disposition & type(packet.stream.disposition).attached_pic
        if not kept.part.whole and not stays and (shown < start or (end is not None and shown >= end)):
            continue
        if not stays and not kept.part.whole:
            off = round(Fraction(start) / base)
            packet.pts = None if packet.pts is None else packet.pts - off
            packet.dts = None if packet.dts is None else packet.dts - off
            decoded -= off
        packet.stream = streams[packet.stream.index]
        # packets of several streams are nearly sorted: what comes late goes on at once
        latest = max(latest, float(decoded * base))
        yield latest, 1, packet
