"""Small files that ask for much: each would take gigabytes or minutes where a limit is missing."""

import random
import struct
import zlib
from collections.abc import Callable

from PIL import Image

from limner.photo.png import with_chunks

from ..photo.samples import XMP, encoded
from .photo_seeds import seed


def directories_of_the_whole_file(size: int) -> bytes:
    """A TIFF with 999 directories, the value of each as long as the file."""
    data = bytearray(b"II\x2a\0" + struct.pack("<I", 8 + size) + bytes(size))
    for _ in range(999):
        tag = struct.pack("<HHHII", 1, 700, 1, size - 100, 8)
        data += tag + struct.pack("<I", len(data) + len(tag) + 4)
    return bytes(data)


def directories_below_directories(tags: int) -> bytes:
    """A TIFF whose 999 directories all say twenty times that the same long directory lies below them."""
    inner, data = 8 + 999 * 100, bytearray(b"II\x2a\0\x08\0\0\0")
    for page in range(999):
        at = 8 + page * 100
        one = struct.pack("<HHHIII", 1, 330, 4, 20, at + 18, at + 100) + struct.pack("<20I", *[inner] * 20)
        data += one.ljust(100, b"\0")
    return bytes(data) + struct.pack("<H", tags) + struct.pack("<HHII", 700, 1, 1, 1) * tags + bytes(4)


def markers_without_end(length: int) -> bytes:
    """A JPEG with a long run of what may begin a marker."""
    data, at = seed("baseline.jpg"), random.Random(length).choice((2, -2))
    return data[:at] + b"\xff" * length + b"\0" + data[at:]


def scans(count: int) -> bytes:
    """A progressive JPEG of 25 megapixels whose last scan comes again and again."""
    data = encoded(Image.new("L", (5000, 5000)), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xc4", 0, data.rindex(b"\xff\xda")) : -2]
    return data[:-2] + last * count + data[-2:]


def texts(count: int) -> bytes:
    """A PNG whose texts unpack to 16 MB each."""
    packed = zlib.compress(bytes(15_900_000))
    return with_chunks(seed("rgb.png"), [(b"zTXt", b"%d\0\0" % number + packed) for number in range(count)])


def elements(count: int) -> bytes:
    """A PNG whose XMP, packed, is of elements alone."""
    packet = XMP.replace(b"</rdf:RDF>", b"<a b=''/>" * count + b"</rdf:RDF>")
    chunk = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(packet)
    return with_chunks(encoded(Image.new("L", (40, 30)), "PNG"), [(b"iTXt", chunk)])


def runs(width: int) -> bytes:
    """A BMP of one row, in runs that pass over 255 rows at a time."""
    packed = b"\0\2\xff\xff" * 20 + b"\1\1\0\0" * 20 + b"\0\1"
    head = struct.pack("<IiiHHIIiiII", 40, width, 1, 1, 8, 1, len(packed), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 1078 + len(packed), 0, 0, 1078) + head + bytes(1024) + packed


def strips(count: int) -> bytes:
    """A TIFF of 16-bit grey whose strips, of one pixel each, all lie in the same place."""
    tags = ((256, 1), (257, count), (258, 16), (259, 1), (262, 1), (277, 1), (278, 1))
    start = 8 + 2 + 12 * (len(tags) + 2) + 4
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    entries += struct.pack("<HHII", 273, 4, count, start) + struct.pack("<HHII", 279, 4, count, start + 4 * count)
    head = b"II\x2a\0" + struct.pack("<IH", 8, len(tags) + 2) + entries + bytes(4)
    return head + struct.pack("<I", 8) * count + struct.pack("<I", 2) * count


BOMBS: dict[str, tuple[Callable[[int], bytes], int]] = {
    "directories-of-the-whole-file.tif": (directories_of_the_whole_file, 3_000_000),
    "directories-below-directories.tif": (directories_below_directories, 999),
    "strips.tif": (strips, 1_000_000),
    "markers-without-end.jpg": (markers_without_end, 300_000),
    "scans.jpg": (scans, 1000),
    "texts.png": (texts, 150),
    "elements.png": (elements, 1_500_000),
    "runs.bmp": (runs, 8_000_000),
}
"""How to make each, and how much of it at most."""
