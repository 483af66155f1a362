"""BMP with alpha, which Pillow writes without saying that it is there."""

import struct

import numpy as np

_HEADER = 108  # bytes of a BITMAPV4HEADER, the first that knows of alpha
_BITFIELDS = 3
_MASKS = (0x00FF0000, 0x0000FF00, 0x000000FF, 0xFF000000)  # red, green, blue, alpha


def with_alpha(pixels: np.ndarray, dpi: tuple[float, float] | None) -> bytes:
    """A BMP of (H, W, 4) uint8 RGBA."""
    height, width = pixels.shape[:2]
    rows = np.ascontiguousarray(pixels[::-1, :, [2, 1, 0, 3]]).tobytes()
    start = 14 + _HEADER
    per_metre = [round(d / 0.0254) for d in dpi or (0, 0)]
    head = b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start)
    head += struct.pack("<IiiHHIIiiII", _HEADER, width, height, 1, 32, _BITFIELDS, len(rows), *per_metre, 0, 0)
    head += struct.pack("<4I", *_MASKS) + b"BGRs"  # sRGB, as its letters stand in the file
    return head.ljust(start, b"\0") + rows
