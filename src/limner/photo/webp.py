"""WebP: its chunks, which tell size and kind before Pillow takes memory for the picture."""

import struct

from limner.photo.container import Container, Pixels
from limner.photo.pillow import opened, pixels_of


def open_webp(data: bytes) -> Container:
    """Opens a WebP.

    Raises:
        ValueError: it is damaged.
    """
    chunks: dict[bytes, list[bytes]] = {}
    at = 12
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        chunks.setdefault(kind, []).append(data[at + 8 : at + 8 + length])
        at += 8 + length + length % 2
    size = _size(chunks)

    def decode() -> Pixels:
        image = opened(data, "WEBP")
        if image.size != size:
            raise ValueError("two sizes")
        return pixels_of(image)

    def first(kind: bytes) -> bytes | None:
        return chunks.get(kind, [None])[0]

    return Container(
        "WEBP",
        size,
        decode,
        pages=max(1, len(chunks.get(b"ANMF", []))),
        exif=first(b"EXIF"),
        xmp=first(b"XMP "),
        icc=first(b"ICCP"),
        lossless=b"VP8L" in chunks,
    )


def _size(chunks: dict[bytes, list[bytes]]) -> tuple[int, int]:
    for kind in (b"VP8X", b"VP8L", b"VP8 "):
        body = chunks.get(kind, [b""])[0]
        if kind == b"VP8X" and len(body) >= 10:
            return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
        if kind == b"VP8L" and len(body) >= 5:
            bits = int.from_bytes(body[1:5], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        if kind == b"VP8 " and len(body) >= 10:
            width, height = struct.unpack_from("<HH", body, 6)
            return width & 0x3FFF, height & 0x3FFF
    raise ValueError("no picture")
