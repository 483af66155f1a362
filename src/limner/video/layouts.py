"""How pixels are laid out: into which layouts a change can be written, and which of an encoder's loses least.

A change is added number by number. So numbers must lie in whole bytes or in whole words of 16 bits, as in `yuv420p`,
`p010le` and `rgb48le`; not in parts of a word (`rgb565le`, `x2rgb10le`), as places in a palette (`pal8`) or as floats.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from limner.video.pyav import pyav

if TYPE_CHECKING:
    from av.video.format import VideoFormat

FULL_RANGE = frozenset({"mjpeg"})
"""Encoders whose numbers fill the whole range."""

_PLAIN = (
    *("gray", "gray16le", "bgr24", "bgra", "gbrp10le", "gbrp12le", "rgb48le", "rgba64le"),
    *("yuv420p", "yuv422p", "yuv444p", "yuv422p10le", "yuv444p10le", "yuv444p12le", "yuv444p16le", "yuva444p16le"),
)
"""What an encoder that takes any layout is given instead of one that can't be changed."""

_UPPER = re.compile(r"p[024]\d\d|y2\d\d|xv36|xyz12|.*msb")
"""Layouts whose numbers of 10 or 12 bits are the upper ones of their words."""


def changeable(layout: str) -> bool:
    """Whether a change can be written into a layout, given by FFmpeg's name."""
    one = pyav().VideoFormat(layout)
    bits = [part.bits for part in one.components]
    if not bits or one.has_palette or one.is_bit_stream or one.is_bayer or re.search(r"f(16|32)", layout):
        return False
    if not converts("rgb24", layout) or not converts(layout, "rgb24"):
        return False
    if set(bits) == {8}:
        return True
    shares = [1.0 if part.is_luma or one.is_rgb or part.is_alpha else chroma_share(one) for part in one.components]
    return 8 < min(bits) <= max(bits) <= 16 and one.padded_bits_per_pixel >= 16 * sum(shares)


@cache
def converts(layout: str, other: str) -> bool:
    """Whether FFmpeg turns pixels of one layout into those of another."""
    av = pyav()
    try:
        av.VideoFrame(64, 64, layout).reformat(format=other)
    except (OSError, ValueError, av.FFmpegError):
        return False
    return True


def numbers_of(layout: VideoFormat) -> tuple[np.dtype, int]:
    """The type of the numbers of a layout that is `changeable`, and the largest of them."""
    bits = max(one.bits for one in layout.components)
    if bits <= 8:
        return np.dtype(np.uint8), 255
    most = (1 << bits) - 1
    kind = np.dtype(">u2" if layout.is_big_endian else "<u2")
    return kind, most << (16 - bits) if _UPPER.match(layout.name) else most


def nearest(encoder: str, pixels: str) -> str:
    """The layout that an encoder takes, that can be changed, and that loses least.

    Args:
        encoder: FFmpeg's name.
        pixels: the clip's layout; where it is such a one itself, it is returned.
    """
    av = pyav()
    taken = [one.name for one in av.Codec(encoder, "w").video_formats or []]
    if not taken:  # any
        taken = [pixels] if changeable(pixels) else list(_PLAIN)
    if encoder in FULL_RANGE:
        taken = [one for one in taken if one.startswith("yuvj")]
    taken = [one for one in taken if changeable(one)]
    if pixels in taken:
        return pixels
    wanted = av.VideoFormat(pixels)
    coloured = wanted.has_palette or len(wanted.components) >= 3

    def loss(name: str) -> tuple[bool, bool, float, float, int]:
        """Colours or alpha that it can't hold, bits and chroma that it lacks; then, how much larger it is."""
        one = av.VideoFormat(name)
        lacking = max(_bits(wanted) - _bits(one), 0), max(chroma_share(wanted) - chroma_share(one), 0)
        grey = coloured and len(one.components) < 3
        return grey, one.is_rgb != (wanted.is_rgb or wanted.has_palette), *lacking, one.padded_bits_per_pixel

    return min(taken, key=loss)


def chroma_share(layout: VideoFormat) -> float:
    """Chroma values for each luma value, 0 to 1."""
    if len(layout.components) < 3:
        return 0.0
    return layout.chroma_width(64) * layout.chroma_height(64) / 64**2


def _bits(layout: VideoFormat) -> int:
    return max(one.bits for one in layout.components)
