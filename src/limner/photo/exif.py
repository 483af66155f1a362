"""What a file says of its picture besides the pixels: EXIF, its turn, and the resolution."""

import struct
from math import isfinite

import numpy as np
from PIL import Image

from limner.photo.sixteen_bit import description_of

_ORIENTATION = 0x0112


def orientation_of(image: Image.Image) -> int:
    """The EXIF orientation of an opened picture, 1 to 8; 1 is upright, and so is EXIF that is missing or can't be
    read."""
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # Pillow meets damaged EXIF with many exceptions
        return 1
    return orientation if orientation in range(1, 9) else 1


def upright(channels: np.ndarray, orientation: int) -> np.ndarray:
    """Undoes an EXIF orientation.

    Args:
        channels: (H, W, C) as stored.
        orientation: 1 to 8: 2 to 4 mirror or turn by 180 degrees, 5 to 8 also swap rows and columns.

    Returns:
        A view of them, upright.
    """
    if orientation in (5, 6, 7, 8):
        channels = channels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        channels = channels[::-1]
    if orientation in (2, 3, 6, 7):
        channels = channels[:, ::-1]
    return channels


def exif_of(image: Image.Image) -> bytes | None:
    """The EXIF of an opened picture as TIFF bytes, marked upright, without its thumbnail; None if it is missing or
    damaged."""
    try:
        return _upright_exif(image)
    except Exception:  # as above: damaged EXIF is no reason to refuse the photo
        return None


def dpi_of(image: Image.Image, turned: bool) -> tuple[float, float] | None:
    """The resolution of an opened picture, horizontal and vertical in dots per inch.

    Args:
        image: the picture.
        turned: whether it is to be turned by a quarter, which swaps the two.

    Returns:
        None where the file gives none, or an impossible one.
    """
    try:
        x, y = (float(d) for d in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    if not (isfinite(x) and isfinite(y) and x > 0 and y > 0):
        return None
    return (y, x) if turned else (x, y)


def _upright_exif(image: Image.Image) -> bytes | None:
    raw = image.info.get("exif")
    if not isinstance(raw, bytes):
        found = image.getexif()
        if image.format == "TIFF":
            found, everything = Image.Exif(), found
            for tag, value in description_of(everything).items():
                found[tag] = value
        if not len(found):
            return None
        raw = found.tobytes()
    raw = raw.removeprefix(b"Exif\0\0")
    order = "<" if raw.startswith(b"II") else ">"
    # Changed in place, because maker notes hold offsets that break when EXIF is written anew.
    exif = bytearray(raw)
    (start,) = struct.unpack_from(order + "I", raw, 4)
    (count,) = struct.unpack_from(order + "H", raw, start)
    end = start + 2 + 12 * count
    for entry in range(start + 2, end, 12):
        if struct.unpack_from(order + "H", raw, entry) == (_ORIENTATION,):
            struct.pack_into(order + "HHIHH", exif, entry, _ORIENTATION, 3, 1, 1, 0)
    if end + 4 <= len(raw):
        struct.pack_into(order + "I", exif, end, 0)  # no second directory: the thumbnail
    return bytes(exif)
