"""How the frames of a clip are stored again: by which encoder, in which layout, how finely."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from limner.video.layouts import FULL_RANGE, changeable, converts, nearest
from limner.video.pyav import ClipError, pyav
from limner.video.read import ClipInfo

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

ENCODERS = {
    "h264": "libx264",
    "hevc": "libx265",
    "h265": "libx265",
    "vp8": "libvpx",
    "vp9": "libvpx-vp9",
    "av1": "libsvtav1",
    "prores": "prores_ks",
}
"""By the codec's name the encoder, where they aren't called alike."""

USUAL = "h264"
"""The codec of clips whose own nobody can write."""

QUALITY = 75
"""Of lossy codecs where none is asked for: a second generation that isn't seen."""

_SCALES: dict[str, tuple[float, float]] = {
    "libx264": (8, 44),
    "libx265": (10, 46),
    "libvpx": (6, 63),
    "libvpx-vp9": (6, 63),
    "libsvtav1": (8, 63),
}
"""The constant rate factor of a quality of 100 and of 0, of encoders that have one."""
_STEPS = (2.0, 20.0)
"""The same for encoders that are told the quantisers between which they may choose."""
_CONSTANT = {"prores_ks": (1.0, 16.0)}
"""The same for those that have one quantiser for all; FFmpeg counts it in units of its lambda."""
_LAMBDA = 118
_LOSSLESS = frozenset({"ffv1", "huffyuv", "ffvhuff", "utvideo", "rawvideo", "png", "qtrle", "magicyuv"})

_TOLD = {
    "libx265": {"x265-params": "log-level=none"},
    # x264 reads memory that nobody has written where it looks back along macroblocks: other runs, other packets
    "libx264": {"mbtree": "0"},
}
"""What else encoders are told."""

_FORMATS = {
    "mkv": "matroska",
    "m4v": "mp4",
    "ts": "mpegts",
    "mts": "mpegts",
    "m2ts": "mpegts",
    "wmv": "asf",
    "mpg": "mpeg",
    "mpe": "mpeg",
    "ogv": "ogg",
    "y4m": "yuv4mpegpipe",
    "m2v": "mpeg2video",
}
"""FFmpeg's name of a format, where it isn't the suffix."""
_WANTS_HEADER, _GLOBAL_HEADER = 1 << 6, 1 << 22
"""FFmpeg's flags of formats that keep the codec's header apart, and of encoders that do."""


@dataclass(frozen=True)
class Encoding:
    """An encoder and what it is told.

    Attributes:
        info: of the clip whose frames it stores.
        encoder: FFmpeg's name.
        pixels: layout of its frames, the clip's own wherever it can store that.
        quality: 0 to 100; lossless ones have none.
        format: FFmpeg's name of the file's format.
    """

    info: ClipInfo
    encoder: str
    pixels: str
    quality: int
    format: str

    @classmethod
    def of(cls, info: ClipInfo, target: Path, codec: str | None = None, quality: int | None = None) -> Encoding:
        """How a clip is stored.

        Args:
            info: of the clip.
            target: its suffix gives the format.
            codec: FFmpeg's name of a codec or encoder; None is the clip's own, where it can be written.
            quality: 1 to 100; None is `QUALITY`.

        Raises:
            ClipError: there is no such codec or format, or nobody can convert the clip's pixels.
        """
        format = format_of(target)
        name = codec or info.codec
        if codec is None and _encoder(name) is None:
            name = USUAL
        encoder = _encoder(name)
        if encoder is None:
            raise ClipError(f"No encoder is here for the codec '{name}': give h264, hevc, vp9, av1 or ffv1 as --codec.")
        pixels = nearest(encoder, info.pixels)
        if pixels != info.pixels and not converts(info.pixels, pixels):
            raise ClipError(f"The pixels of {info.path} ({info.pixels}) can't be read: store it anew, as yuv420p.")
        return cls(info, encoder, pixels, QUALITY if quality is None else quality, format)

    @property
    def codec(self) -> str:
        """FFmpeg's name of what the encoder makes, such as `h264`."""
        return pyav().Codec(self.encoder, "w").canonical_name

    @property
    def lossless(self) -> bool:
        """Whether frames come back bit for bit."""
        return self.encoder in _LOSSLESS

    @property
    def notes(self) -> list[str]:
        """Sentences for the user on pixels that aren't stored as they were."""
        own = self.info.pixels
        if own.replace("yuvj", "yuv") == self.pixels.replace("yuvj", "yuv"):
            return []
        why = f"{self.encoder} can't hold" if changeable(own) else "nothing can be changed in"
        return [f"Frames are stored as {self.pixels}, for {why} the clip's own {own}."]

    def add_to(self, container: OutputContainer) -> VideoStream:
        """The stream of a file that holds its packets, in the clip's own times.

        Raises:
            ClipError: the file's format can't hold them.
        """
        try:
            stream: Any = container.add_stream(self.encoder, rate=self.info.rate, options=self._options())
        except ValueError as error:
            raise ClipError(
                f"A file of the kind {self.format} can't hold {self.encoder}: name the output .mkv, or give another "
                "--codec."
            ) from error
        self._tell(stream.codec_context)
        stream.time_base = self.info.time_base
        return stream

    def open(self) -> VideoCodecContext:
        """An encoder that counts frames instead of seconds, so that it takes any times.

        Raises:
            ClipError: it refuses the clip's size or rate.
        """
        av = pyav()
        context = av.CodecContext.create(self.encoder, "w")
        context.options = self._options()
        if av.ContainerFormat(self.format, "w").flags & _WANTS_HEADER:
            context.flags |= _GLOBAL_HEADER
        self._tell(context)
        try:
            context.open()
        except av.FFmpegError as error:
            raise ClipError(
                f"{self.encoder} can't store {self.info.width} x {self.info.height} pixels, {float(self.info.rate):g} "
                f"frames a second ({error}): give another --codec."
            ) from error
        return context

    def _tell(self, context: VideoCodecContext) -> None:
        context.width, context.height, context.pix_fmt = self.info.width, self.info.height, self.pixels
        context.framerate, context.time_base = self.info.rate, 1 / self.info.rate
        context.sample_aspect_ratio = self.info.aspect
        colours = self.info.colours
        context.color_range = 2 if self.encoder in FULL_RANGE else colours.range
        context.colorspace = colours.matrix
        context.color_primaries, context.color_trc = colours.primaries, colours.transfer
        os.environ.setdefault("SVT_LOG", "1")  # libsvtav1 would tell of itself otherwise
        context.thread_count = 1  # the same packets on every machine

    def _options(self) -> dict[str, str]:
        options = dict(_TOLD.get(self.encoder, {}))
        if self.encoder in _SCALES:
            options["crf"] = f"{self._on(_SCALES[self.encoder]):.0f}"
        elif self.encoder in _CONSTANT:
            quantiser = self._on(_CONSTANT[self.encoder])
            options |= {"flags": "+qscale", "global_quality": f"{quantiser * _LAMBDA:.0f}"}
        elif not self.lossless:
            options["qmin"] = options["qmax"] = f"{self._on(_STEPS):.0f}"
        return options

    def _on(self, scale: tuple[float, float]) -> float:
        best, worst = scale
        return worst + (best - worst) * self.quality / 100


@dataclass(frozen=True)
class Coded:
    """A packet of an encoder.

    Attributes:
        data: of it.
        frame: which of the frames that were given to the encoder it shows, from 0.
        key: whether a player can begin with it.
    """

    data: bytes
    frame: int
    key: bool


class Encoder:
    """Stores frames one after another.

    Args:
        encoding: how.
    """

    def __init__(self, encoding: Encoding):
        self._context, self._count = encoding.open(), 0
        self._step = 1 / encoding.info.rate

    def frame(self, frame: VideoFrame) -> Iterator[Coded]:
        """The packets that are ready when a frame, in the encoding's layout, has been given; its time is changed."""
        frame.pts, frame.time_base, frame.pict_type = self._count, self._step, 0
        self._count += 1
        yield from self._coded(self._context.encode(frame))

    def rest(self) -> Iterator[Coded]:
        """The packets of all frames that were given."""
        yield from self._coded(self._context.encode(None))

    def _coded(self, packets: list) -> Iterator[Coded]:
        for one in packets:
            yield Coded(bytes(one), int(one.pts), one.is_keyframe)


def format_of(target: Path) -> str:
    """FFmpeg's name of the format that a file's suffix means.

    Raises:
        ClipError: nobody knows it.
    """
    suffix = target.suffix.lower().lstrip(".")
    try:
        return pyav().ContainerFormat(_FORMATS.get(suffix, suffix), "w").name
    except ValueError as error:
        raise ClipError(f"{target} is of no known format: name the output .mp4, .mkv, .mov or .webm.") from error


def _encoder(codec: str) -> str | None:
    """The encoder of a codec or of that name; None where there is none."""
    av = pyav()
    name = ENCODERS.get(codec, codec)
    try:
        found = av.Codec(name, "w")
    except av.codec.codec.UnknownCodecError:
        return None
    return found.name if found.type == "video" else None
