"""TIFF's compressions of bytes, unpacked within a limit and without further libraries."""

import lzma
import zlib
from io import BytesIO

from limner.photo.directory import Layout, number, written
from limner.photo.pillow import limit_lifted

_LZW, _PACKBITS = 5, 32773
_DEFLATE, _LZMA = (8, 32946, 50013), 34925
OF_BYTES = (1, _LZW, _PACKBITS, *_DEFLATE, _LZMA)


def unpacked(data: bytes, compression: int, length: int) -> bytes:
    """So many bytes, or fewer if there are no more.

    Args:
        data: a strip or a tile as it is stored.
        compression: one of `OF_BYTES`, as TIFF numbers them.
        length: the bytes that it should hold, and the most that are made.
    """
    if compression == 1:
        return data[:length]
    if compression in _DEFLATE:
        return zlib.decompressobj().decompress(data, length)
    if compression == _LZMA:
        return lzma.LZMADecompressor(memlimit=256_000_000).decompress(data, length)
    return _by_libtiff(data, compression, length)


def _by_libtiff(data: bytes, compression: int, length: int) -> bytes:
    """Pillow's libtiff unpacks the bytes as those of a grey picture of one row."""
    from PIL import Image

    tags = {256: length, 257: 1, 258: 8, 259: compression, 262: 1, 273: 0, 277: 1, 278: 1, 279: len(data)}
    layout = Layout("<")
    start = 8 + len(written({tag: number(value) for tag, value in tags.items()}, layout, 8))
    directory = written({tag: number(value) for tag, value in (tags | {273: start}).items()}, layout, 8)
    with limit_lifted():
        image = Image.open(BytesIO(b"II\x2a\0\x08\0\0\0" + directory + data), formats=("TIFF",))
    return image.tobytes()
