"""Files that Pillow can't read or write: 16 bits a channel in PNG and TIFF, and any TIFF with its EXIF.

Pillow reduces 16-bit colour to 8 without a word and drops EXIF from compressed TIFF. OpenCV reads 16 bit
but carries no metadata. So reading is OpenCV's; writing is done here, where both formats need but a few
lines.
"""

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

# The tags of a TIFF's first directory that describe the photo; all others describe how the file stores it.
DESCRIPTIVE_TAGS = (269, 270, 271, 272, 305, 306, 315, 316, 33432, 33723, 34377, 34665, 34853)
_SUB_DIRECTORIES = (34665, 34853)  # EXIF and GPS
_INTEROPERABILITY = 40965  # a directory within EXIF's: its offset would point astray


def description_of(exif: Image.Exif) -> dict[int, Any]:
    """The EXIF tags that describe the photo, not the file, with their sub-directories, ready to be written by
    Pillow."""

    def ready(value: Any) -> Any:
        # Pillow reads text as Latin-1 and writes it as ASCII; bytes it leaves as they are.
        return value.encode("latin-1") if isinstance(value, str) and not value.isascii() else value

    def directory(tag: int) -> dict[int, Any]:
        return {k: ready(v) for k, v in exif.get_ifd(tag).items() if k != _INTEROPERABILITY}

    return {
        tag: directory(tag) if tag in _SUB_DIRECTORIES else ready(exif[tag]) for tag in DESCRIPTIVE_TAGS if tag in exif
    }


def decode(data: bytes) -> np.ndarray | None:
    """Decodes a 16-bit PNG as it is stored, or a 16-bit TIFF in its upright turn.

    Args:
        data: the whole file.

    Returns:
        (H, W, C) uint16 in RGB order with C = 1, 3 or 4, or None if OpenCV can't read the file.
    """
    import cv2  # only files of 16 bit need it, and the command line should begin at once

    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if pixels is None or pixels.dtype != np.uint16:
        return None
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    return pixels if pixels.shape[2] == 1 else pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]


def eight_bit(values: np.ndarray) -> np.ndarray:
    """Pixel values of any shape, uint16 rounded to uint8; uint8 stays as it is."""
    return values if values.dtype == np.uint8 else ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)


def encode_png(
    pixels: np.ndarray,
    *,
    icc: bytes | None = None,
    exif: bytes | None = None,
    xmp: bytes | None = None,
    dpi: tuple[float, float] | None = None,
) -> bytes:
    """A 16-bit PNG.

    Args:
        pixels: (H, W, C) uint16; C = 1 grey, 2 grey with alpha, 3 RGB, 4 RGB with alpha.
        icc: ICC profile.
        exif: EXIF as TIFF bytes, without the JPEG prefix.
        xmp: UTF-8 XMP packet.
        dpi: horizontal and vertical dots per inch.
    """
    height, width, channels = pixels.shape

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    parts = [
        b"\x89PNG\r\n\x1a\n",
        chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, (0, 4, 2, 6)[channels - 1], 0, 0, 0)),
    ]
    if icc:
        parts.append(chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(icc)))
    if dpi:
        parts.append(chunk(b"pHYs", struct.pack(">IIB", *(round(d / 0.0254) for d in dpi), 1)))
    if exif:
        parts.append(chunk(b"eXIf", exif))
    if xmp:
        parts.append(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp))
    # Filter 1 (Sub): each byte less the same byte of the pixel to the left.
    rows = np.ascontiguousarray(pixels, ">u2").view(np.uint8).reshape(height, -1)
    filtered = np.empty((height, rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = 1
    step = 2 * channels
    filtered[:, 1 : step + 1] = rows[:, :step]
    np.subtract(rows[:, step:], rows[:, :-step], out=filtered[:, step + 1 :])
    parts += [chunk(b"IDAT", zlib.compress(filtered.tobytes())), chunk(b"IEND", b"")]
    return b"".join(parts)


def encode_tiff(
    pixels: np.ndarray,
    *,
    icc: bytes | None = None,
    exif: bytes | None = None,
    xmp: bytes | None = None,
    dpi: tuple[float, float] | None = None,
) -> bytes:
    """A TIFF of one page, deflated with the horizontal predictor.

    Args:
        pixels: (H, W, C) uint8 or uint16; C = 1 grey, 2 grey with alpha, 3 RGB, 4 RGB with alpha.
        icc, exif, xmp, dpi: as for `encode_png`.
    """
    height, width, channels = pixels.shape
    differences = pixels.copy()
    differences[:, 1:] -= pixels[:, :-1]
    strip = zlib.compress(differences.astype(f"<u{pixels.itemsize}").tobytes())

    # The prefix must say little-endian, because the strip is.
    directory = ImageFileDirectory_v2(b"II\x2a\0\0\0\0\0")
    if exif:
        described = Image.Exif()
        described.load(exif)
        for tag, value in description_of(described).items():
            directory[tag] = value
    directory[254] = 0  # NewSubfileType: a full page
    directory[256] = width
    directory[257] = height
    directory[258] = (8 * pixels.itemsize,) * channels
    directory[259] = 8  # Compression: deflate
    directory[262] = 2 if channels > 2 else 1  # PhotometricInterpretation: RGB or black is zero
    directory[273] = 0  # StripOffsets: Pillow counts this from the end of the directory
    directory[277] = channels
    directory[278] = height  # RowsPerStrip
    directory[279] = len(strip)
    directory[317] = 2  # Predictor: horizontal
    if channels in (2, 4):
        directory[338] = 2  # ExtraSamples: alpha that isn't multiplied into the colours
    if dpi:
        directory[282], directory[283], directory[296] = float(dpi[0]), float(dpi[1]), 2
    if xmp:
        directory[700] = xmp
    if icc:
        directory[34675] = icc
    file = BytesIO()
    directory.save(file)
    file.seek(0, 2)
    file.write(strip)
    return file.getvalue()
