"""PNG: its chunks. The decoder gets those of the picture, metadata is taken from the others and put among them."""

import re
import struct
import zlib
from collections.abc import Sequence

import numpy as np

from limner.photo.container import Container, Pixels
from limner.photo.iptc import iptc_of, resources
from limner.photo.pillow import opened, pixels_of
from limner.photo.sixteen_bit import decode

_HEAD = b"\x89PNG\r\n\x1a\n"
_PICTURE = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_COLOUR = (b"gAMA", b"cHRM", b"sRGB", b"cICP")
_XMP = "XML:com.adobe.xmp"
_IPTC = "Raw profile type iptc"  # where ImageMagick and exiftool put it
_LONGEST = 16_000_000  # bytes of a profile or of all texts, unpacked
_MOST_TEXTS = 200

Chunk = tuple[bytes, bytes]


def open_png(data: bytes) -> Container:
    """Opens a PNG.

    Raises:
        ValueError: it is damaged.
    """
    chunks, notes = _chunks(data)
    if not chunks or chunks[0][0] != b"IHDR" or len(chunks[0][1]) != 13:
        raise ValueError("no header")
    width, height, depth, colour = struct.unpack_from(">IIBB", chunks[0][1])
    first = dict(reversed(chunks))
    texts, damaged = _texts(chunks)
    icc = None
    try:
        icc = _profile(first.get(b"iCCP"))
    except (ValueError, zlib.error):
        damaged = True
    if damaged:
        notes.append("A text or the colour profile of the PNG is damaged and was left out.")
    xmp, iptc = texts.pop(_XMP, None), texts.pop(_IPTC, None)
    for key in [key for key in texts if key.startswith("Raw profile type")]:
        del texts[key]

    def decoded() -> Pixels:
        if depth == 16:
            return _sixteen_bit(chunks, colour, first.get(b"tRNS"))
        return pixels_of(opened(_written([c for c in chunks if c[0] in _PICTURE[:-1]]), "PNG"))

    return Container(
        "PNG",
        (width, height),
        decoded,
        pages=struct.unpack_from(">I", first[b"acTL"])[0] if len(first.get(b"acTL", b"")) == 8 else 1,
        exif=first.get(b"eXIf"),
        xmp=xmp.encode() if xmp else None,
        icc=icc,
        iptc=_raw_profile(iptc) if iptc else None,
        words=tuple(texts.items())[:_MOST_TEXTS],
        dpi=_dpi(first.get(b"pHYs", b"")),
        png_colour=tuple((kind, first[kind]) for kind in _COLOUR if kind in first),
        notes=tuple(notes),
    )


def with_chunks(png: bytes, chunks: Sequence[Chunk]) -> bytes:
    """A PNG with further chunks behind its header."""
    return png[:33] + b"".join(_chunk(*chunk) for chunk in chunks) + png[33:]


def about(
    icc: bytes | None,
    exif: bytes | None,
    xmp: bytes | None,
    iptc: bytes | None,
    words: Sequence[tuple[str, str]],
    dpi: tuple[float, float] | None,
) -> list[Chunk]:
    """Chunks for what a photo says beside its pixels; `limner.Photo` says what each is."""
    chunks: list[Chunk] = []
    if icc:
        chunks.append((b"iCCP", b"ICC Profile\0\0" + zlib.compress(icc)))
    if dpi:
        chunks.append((b"pHYs", struct.pack(">IIB", *(round(d / 0.0254) for d in dpi), 1)))
    if exif:
        chunks.append((b"eXIf", exif))
    if xmp:
        chunks.append((b"iTXt", f"{_XMP}\0\0\0\0\0".encode() + xmp))
    if iptc:
        packed = resources(iptc)
        chunks.append(
            (b"zTXt", f"{_IPTC}\0\0".encode() + zlib.compress(f"\niptc\n{len(packed)}\n{packed.hex()}".encode()))
        )
    for key, text in words:
        key = re.sub(r"[^ -~]", "?", key)[:79].strip() or "Comment"
        chunks.append((b"iTXt", f"{key}\0\0\0\0\0{text}".encode()))
    return chunks


def sixteen_bit(pixels: np.ndarray) -> bytes:
    """A PNG of (H, W, C) uint16; C = 1 grey, 2 grey with alpha, 3 RGB, 4 RGB with alpha. Pillow writes none."""
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 16, (0, 4, 2, 6)[channels - 1], 0, 0, 0)
    # Filter 1 (Sub): each byte less the same byte of the pixel to the left.
    rows = np.ascontiguousarray(pixels, ">u2").view(np.uint8).reshape(height, -1)
    filtered = np.empty((height, rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = 1
    step = 2 * channels
    filtered[:, 1 : step + 1] = rows[:, :step]
    np.subtract(rows[:, step:], rows[:, :-step], out=filtered[:, step + 1 :])
    return _written([(b"IHDR", header), (b"IDAT", zlib.compress(filtered.tobytes()))])


def _chunks(data: bytes) -> tuple[list[Chunk], list[str]]:
    """All chunks that lie within the file, and notes on those of metadata that are damaged."""
    chunks, notes, at = [], [], len(_HEAD)
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        if len(body) < length or at + 12 + length > len(data):
            break
        whole = zlib.crc32(kind + body) == struct.unpack_from(">I", data, at + 8 + length)[0]
        if whole or kind in _PICTURE:
            chunks.append((kind, body))
        else:
            notes.append("A part of the PNG beside its picture is damaged and was left out.")
        if not whole and kind in _PICTURE[:-1]:
            raise ValueError("wrong checksum")
        if kind == b"IEND":
            break
        at += 12 + length
    return chunks, notes[:1]


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _written(chunks: Sequence[Chunk]) -> bytes:
    return _HEAD + b"".join(_chunk(*chunk) for chunk in [*chunks, (b"IEND", b"")])


def _sixteen_bit(chunks: Sequence[Chunk], colour: int, key: bytes | None) -> Pixels:
    values = decode(_written([c for c in chunks if c[0] in (b"IHDR", b"IDAT")]))
    grey = colour in (0, 4)
    if grey:  # OpenCV gives grey with alpha as three equal channels with alpha
        values = values[..., [0, -1]] if colour == 4 else values[..., :1]
    if key and len(key) == 2 * values.shape[2]:  # one colour is transparent
        seen = (values != np.frombuffer(key, ">u2").astype(np.uint16)).any(axis=2, keepdims=True)
        values = np.concatenate([values, np.where(seen, 65535, 0).astype(np.uint16)], axis=2)
    return Pixels(values, grey)


def _unpacked(data: bytes, most: int = _LONGEST) -> bytes:
    """Deflated data, within a limit."""
    inflate = zlib.decompressobj()
    plain = inflate.decompress(data, max(1, most))  # 0 would mean no limit
    if inflate.unconsumed_tail:
        raise ValueError("too long")
    return plain


def _profile(body: bytes | None) -> bytes | None:
    return _unpacked(body.partition(b"\0")[2][1:]) if body else None


def _texts(chunks: Sequence[Chunk]) -> tuple[dict[str, str], bool]:
    """All texts by their keywords, within a limit, and whether any was damaged or too long."""
    texts: dict[str, str] = {}
    room, damaged = _LONGEST, False
    for kind, body in chunks:
        if kind in (b"tEXt", b"zTXt", b"iTXt"):
            try:
                key, text = _text(kind, body, room)
            except (ValueError, zlib.error):
                damaged = True
                continue
            texts[key] = text
            room -= len(text)
    return texts, damaged


def _text(kind: bytes, body: bytes, most: int) -> tuple[str, str]:
    """Keyword and text, which is unpacked to so many bytes at most."""
    key, _, rest = body.partition(b"\0")
    if kind == b"tEXt":
        return key.decode("latin-1"), rest.decode("latin-1")
    if kind == b"zTXt":
        return key.decode("latin-1"), _unpacked(rest[1:], most).decode("latin-1")
    packed, text = rest[:1] == b"\1", rest[2:].split(b"\0", 2)[-1]
    return key.decode("latin-1"), (_unpacked(text, most) if packed else text).decode("utf-8", "replace")


def _raw_profile(text: str) -> bytes | None:
    """IPTC as ImageMagick writes it: a name, a length, and hexadecimal digits."""
    try:
        packed = bytes.fromhex("".join(text.split()[2:]))
    except ValueError:
        return None
    return iptc_of(packed) if packed.startswith(b"8BIM") else packed


def _dpi(body: bytes) -> tuple[float, float] | None:
    if len(body) != 9 or body[8] != 1:
        return None
    x, y = struct.unpack_from(">II", body)
    return x * 0.0254, y * 0.0254
