"""TIFF as limner writes it. Pillow writes neither 16-bit colour nor EXIF into a compressed TIFF."""

import re
import struct
import zlib

import numpy as np

from limner.photo import exif as exif_block
from limner.photo.directory import Entry, Layout, fraction, number, numbers, written

_BYTES = 7  # of no type


def encode_tiff(
    pixels: np.ndarray,
    *,
    icc: bytes | None = None,
    exif: bytes | None = None,
    xmp: bytes | None = None,
    iptc: bytes | None = None,
    description: str = "",
    dpi: tuple[float, float] | None = None,
) -> bytes:
    """A TIFF of one page, deflated with the horizontal predictor.

    Args:
        pixels: (H, W, C) uint8 or uint16; C = 1 grey, 2 grey with alpha, 3 RGB, 4 RGB with alpha.
        icc: colour profile.
        exif: EXIF as TIFF bytes, without the JPEG prefix.
        xmp: UTF-8 XMP packet.
        iptc: IPTC's records.
        description: of the image, where the EXIF has none.
        dpi: horizontal and vertical dots per inch.
    """
    height, width, channels = pixels.shape
    differences = pixels.copy()
    differences[:, 1:] -= pixels[:, :-1]
    strip = zlib.compress(differences.astype(f"<u{pixels.itemsize}").tobytes())

    tags: dict[int, Entry | dict[int, Entry]] = dict(exif_block.described(exif)) if exif else {}
    told = tags.get(270)
    if isinstance(told, Entry) and re.match(rb'\{"shape": \[(?!%d, %d\b)' % (height, width), told.raw):
        del tags[270]  # tifffile's, of a picture that had another size
    if description:
        tags.setdefault(270, Entry(2, description.encode() + b"\0", "<"))
    tags |= {
        254: number(0),  # NewSubfileType: a full page
        256: number(width),
        257: number(height),
        258: numbers((8 * pixels.itemsize,) * channels, 3),
        259: number(8, 3),  # Compression: deflate
        262: number(2 if channels > 2 else 1, 3),  # PhotometricInterpretation: RGB or black is zero
        273: number(0),  # StripOffsets, known when the directory's length is
        277: number(channels, 3),
        278: number(height),  # RowsPerStrip
        279: number(len(strip)),
        317: number(2, 3),  # Predictor: horizontal
    }
    if channels in (2, 4):
        tags[338] = number(2, 3)  # ExtraSamples: alpha that isn't multiplied into the colours
    if dpi:
        tags |= {282: fraction(dpi[0]), 283: fraction(dpi[1]), 296: number(2, 3)}
    for tag, value in ((700, xmp), (33723, iptc), (34675, icc)):
        if value:
            tags[tag] = Entry(_BYTES, value, "<")
    layout = Layout("<")
    directory = written(tags, layout, 8)
    start = 8 + len(directory) + len(directory) % 2
    directory = written(tags | {273: number(start)}, layout, 8)
    return b"II\x2a\0" + struct.pack("<I", 8) + directory.ljust(start - 8, b"\0") + strip
