"""Small clips to test with, and what is in a clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

BASE = Fraction(1, 600)
VARYING = [0, 24, 48, 100, 124, 148, 300, 324, 348, 372]
"""Times of ten frames, in `BASE`, of which some are shown longer than others."""


def frames(count: int = 10, height: int = 48, width: int = 64) -> list[np.ndarray]:
    """Pictures of nobody, each another, (height, width, 3) uint8."""
    y, x = np.mgrid[:height, :width]
    return [np.stack([(x * 3 + 9 * n) % 256, (y * 5) % 256, x + y + n], -1).astype(np.uint8) for n in range(count)]


def write(
    path: Path,
    pictures: Sequence[np.ndarray] | None = None,
    times: Sequence[int] = VARYING,
    codec: str = "ffv1",
    sound: str | None = "aac",
    turn: int = 0,
    words: bool = False,
) -> Path:
    """Writes a clip with a tone; `words` adds subtitles (Matroska), chapters and a title."""
    pictures = frames(len(times)) if pictures is None else pictures
    with av.open(str(path), "w", container_options={"avoid_negative_ts": "disabled"}) as file:
        picture = file.add_stream(codec, rate=25)
        picture.height, picture.width = pictures[0].shape[:2]
        picture.pix_fmt = "yuv420p"
        picture.codec_context.time_base = picture.time_base = BASE
        picture.color_range, picture.color_primaries, picture.color_trc, picture.colorspace = 2, 5, 6, 5
        if turn:
            picture.set_display_rotation(turn)
        tone = file.add_stream(sound, rate=44_100) if sound else None
        subtitles = file.add_mux_stream("subrip") if words else None
        if words:
            file.metadata["title"] = "A day at the sea"
            file.set_chapters([{"id": 1, "start": 0, "end": 300, "time_base": BASE, "metadata": {"title": "first"}}])
        for time, one in zip(times, pictures, strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(one), "rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = time, BASE
            file.mux(picture.encode(frame))
        file.mux(picture.encode())
        if subtitles:
            packet = av.Packet(b"How blue it is!")
            packet.stream, packet.pts, packet.dts, packet.duration = subtitles, 100, 100, 200
            packet.time_base = Fraction(1, 1000)
            file.mux(packet)
        if tone:
            wave = np.rint(8000 * np.sin(2 * np.pi * 440 * np.arange(20 * 1024) / 44_100)).astype(np.int16)
            for start in range(0, len(wave), 1024):
                part = np.repeat(wave[start : start + 1024], 2)[None]
                frame = av.AudioFrame.from_ndarray(part, format="s16", layout="stereo")
                frame.sample_rate, frame.pts = 44_100, start
                file.mux(tone.encode(frame))
            file.mux(tone.encode())
    return path


@dataclass
class Facts:
    """What is in a clip: seconds of its frames, their pixels as stored, the other streams' packets with their seconds,
    and what the streams are called."""

    times: list[Fraction]
    pixels: list[bytes]
    others: dict[str, list[tuple[Fraction, bytes]]]
    codec: str
    colours: tuple[int, int, int, int]


def facts(path: Path) -> Facts:
    with av.open(str(path)) as file:
        picture = file.streams.video[0]
        decoded = list(file.decode(picture))
        times = [one.pts * one.time_base for one in decoded]
        pixels = [one.to_ndarray().tobytes() for one in decoded]
        colours = (picture.color_range, picture.color_primaries, picture.color_trc, picture.colorspace)
        codec = picture.codec_context.name
    others: dict[str, list[tuple[Fraction, bytes]]] = {}
    with av.open(str(path)) as file:
        for packet in file.demux([one for one in file.streams if one.type != "video"]):
            if packet.pts is not None:
                others.setdefault(packet.stream.type, []).append((packet.pts * packet.time_base, bytes(packet)))
    return Facts(times, pixels, others, codec, colours)
