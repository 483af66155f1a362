"""BMP: Pillow reads it, but what is packed in runs is unpacked here, within its size; with alpha, which Pillow writes
without saying that it is there, it is written here."""

import struct

import numpy as np

from limner.photo.container import Container, Pixels
from limner.photo.pillow import opened, pixels_of

_HEADER = 108  # bytes of a BITMAPV4HEADER, the first that knows of alpha
_BITFIELDS = 3
_MASKS = (0x00FF0000, 0x0000FF00, 0x000000FF, 0xFF000000)  # red, green, blue, alpha

_RUNS = {1: 8, 2: 4}  # bits of a pixel in the compressions by runs


def open_bmp(data: bytes) -> Container:
    """Opens a BMP.

    Raises:
        ValueError: it is damaged.
    """
    image = opened(data, "BMP")
    in_runs = len(data) > 50 and data[14] >= 40 and struct.unpack_from("<I", data, 30)[0] in _RUNS

    def decode() -> Pixels:
        return _of_runs(data, *image.size) if in_runs else pixels_of(image)

    return Container("BMP", image.size, decode, dpi=image.info.get("dpi"))


def _of_runs(data: bytes, width: int, height: int) -> Pixels:
    (start, header), (compression,) = struct.unpack_from("<II", data, 10), struct.unpack_from("<I", data, 30)
    bits = _RUNS[compression]
    if struct.unpack_from("<H", data, 28) != (bits,):
        raise ValueError("runs of other pixels")
    entries = np.frombuffer(data[14 + header : start].ljust(1024, b"\0")[:1024], np.uint8)
    palette = entries.reshape(256, 4)[:, 2::-1]
    colours = palette[_unpacked(data[start:], bits, width, height)[::-1]]
    grey = bool((palette == palette[:, :1]).all())
    return Pixels(colours[..., :1] if grey else colours, grey)


def _unpacked(packed: bytes, bits: int, width: int, height: int) -> np.ndarray:
    """Runs as (H, W) uint8, from the last row up; pixels that they pass over are 0."""
    pixels = np.zeros((height, width), np.uint8)
    x = y = at = 0
    while at + 2 <= len(packed) and y < height:
        count, value = packed[at], packed[at + 1]
        at += 2
        if count == 0 and value < 3:
            if value == 1:  # the picture's end
                return pixels
            if value == 0:  # the row's
                x, y = 0, y + 1
            elif at + 2 <= len(packed):  # pixels passed over
                x, y, at = x + packed[at], y + packed[at + 1], at + 2
            continue
        if count:
            run = bytes((value,) if bits == 8 else (value >> 4, value & 15)) * count
        else:
            count, length = value, value if bits == 8 else (value + 1) // 2
            run, at = packed[at : at + length], at + length + length % 2
            if bits == 4:
                run = bytes(half for both in run for half in (both >> 4, both & 15))
        run = run[: min(count, max(0, width - x))]
        pixels[y, x : x + len(run)] = np.frombuffer(run, np.uint8)
        x += count
    if y < height - 1:
        raise ValueError("cut off")
    return pixels


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
