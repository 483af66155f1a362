"""Whether a restored clip fits into a file of some format, told before hours are spent."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path

from limner.video.encode import Encoder, Encoding
from limner.video.pyav import ClipError, pyav
from limner.video.read import opened
from limner.video.write import created, others

_SHOWN_AS_STORED, _REORDERED = ("avi", "asf", "mxf"), ("libx264", "libx265")
"""Formats that know no time at which a frame is shown but that of its storing; encoders that store in another order."""
_ALIKE = 0.03
"""How far the shape of pixels may be off: MPEG-2 knows that of the whole picture alone, 4:3 and 16:9."""


def check_target(encoding: Encoding, target: Path) -> None:
    """Whether a clip can become a file, before hours are spent.

    Raises:
        ClipError: its format is unknown, or can't hold the frames or the sound.
    """
    with opened(encoding.info.path) as source, created(Path(os.devnull), encoding.format) as result:
        if encoding.format in _SHOWN_AS_STORED and encoding.encoder in _REORDERED:
            raise ClipError(
                f"{target} can't say when frames of {encoding.encoder.removeprefix('lib')} are shown: name the output "
                ".mkv, or give --codec mpeg4."
            )
        encoding.add_to(result)
        others(source, result, encoding.info.path, target)
        try:
            result.start_encoding()
        except (OSError, ValueError, pyav().FFmpegError) as error:
            raise ClipError(
                f"{target} can't hold what {encoding.info.path} does ({error}): name the output .mkv, or give another "
                "--codec."
            ) from error
    _try(encoding, target)


def _try(encoding: Encoding, target: Path) -> None:
    """Stores a black frame and reads it back, for some formats store what nobody can read, or forget its shape.

    Raises:
        ClipError: this one does.
    """
    av, file = pyav(), BytesIO()
    with av.open(file, "w", format=encoding.format) as made:
        stream = encoding.add_to(made)
        encoder, frame = Encoder(encoding), av.VideoFrame(encoding.info.width, encoding.info.height, encoding.pixels)
        for number, one in enumerate([*encoder.frame(frame), *encoder.rest()]):
            packet = av.Packet(one.data)
            packet.stream, packet.time_base, packet.is_keyframe = stream, encoding.info.time_base, one.key
            packet.pts = packet.dts = number
            made.mux_one(packet)
    file.seek(0)
    try:
        with av.open(file, format=encoding.format) as read:
            picture = read.streams.video[0]
            told = picture.sample_aspect_ratio or picture.codec_context.sample_aspect_ratio or 1
    except (OSError, ValueError, IndexError, AttributeError, av.FFmpegError) as error:
        raise ClipError(
            f"{encoding.codec} can't be read back from {target}: name the output .mkv, or give another --codec."
        ) from error
    if abs(float(told / encoding.info.aspect) - 1) > _ALIKE:
        wide = f"{encoding.info.aspect.numerator}:{encoding.info.aspect.denominator}"
        raise ClipError(
            f"{target} can't say of {encoding.codec} that its pixels aren't square ({wide}): name the output .mp4 or "
            ".mov, or give --codec h264."
        )
