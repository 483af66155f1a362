"""A file that was opened but not yet decoded: what every format's reader gives to `read`.

What it says beside the pixels is still raw; `read` checks the size, cleans the rest and only then decodes. Decoders
are handed the picture alone, so that no metadata, however broken, can make them fail.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from limner.photo.contents import JpegCoding


@dataclass(frozen=True)
class Pixels:
    """Decoded pixels.

    Attributes:
        channels: (H, W, C) uint8 or uint16; C = 1 grey, 2 grey with alpha, 3 RGB, 4 RGB with alpha.
        grey: whether there is one colour channel.
        in_srgb: they were converted to sRGB, so that the file's colour profile holds no longer.
        jpeg: how a JPEG was stored.
        notes: what the user should know of the decoding, one sentence each.
    """

    channels: np.ndarray
    grey: bool
    in_srgb: bool = False
    jpeg: JpegCoding | None = None
    notes: tuple[str, ...] = ()


@dataclass
class Container:
    """What a file says before it is decoded.

    Attributes:
        format: as in `limner.Photo`.
        size: width and height as stored, which `decode` holds to.
        decode: gives the pixels as they are stored, and raises any exception if they are damaged.
        pages: pictures in the file that are neither previews nor masks.
        orientation: the turn that the format itself knows of (TIFF); None asks the EXIF.
        exif, xmp, icc, iptc: raw, as `limner.Photo` says; none is checked yet.
        dpi: of the format's own field; None asks the EXIF.
        words, png_colour, lossless: as `limner.Photo` says.
        notes: what couldn't be taken along, one sentence each.
    """

    format: str
    size: tuple[int, int]
    decode: Callable[[], Pixels]
    pages: int = 1
    orientation: int | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    icc: bytes | None = None
    iptc: bytes | None = None
    words: tuple[tuple[str, str], ...] = ()
    dpi: tuple[float, float] | None = None
    png_colour: tuple[tuple[bytes, bytes], ...] = ()
    lossless: bool = False
    notes: tuple[str, ...] = ()
