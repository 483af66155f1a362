"""Pictures, metadata and profiles that the tests of photographs share."""

import struct
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image

from limner.photo.photo import Photo
from limner.photo.provenance import Provenance

LOSSLESS = [".png", ".tif", ".bmp"]
LOSSY = [".jpg", ".webp", ".avif"]
MADE = Provenance("difface", "mini", 1, 1, "0.1.0")
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="1"'
    b' tiff:Artist="Nadar"/></rdf:RDF></x:xmpmeta>'
)


def smooth(height: int = 40, width: int = 56, channels: int = 3) -> np.ndarray:
    """A picture that lossy formats keep well, uint8."""
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    waves = [np.sin(3 * x + i) * np.cos(2 * y - i) for i in range(channels)]
    return (127 + 100 * np.stack(waves, -1)).astype(np.uint8)


def random_pixels(dtype: type = np.uint8, shape: tuple[int, ...] = (20, 30, 3)) -> np.ndarray:
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def exif(orientation: int | None = None) -> bytes:
    made = Image.Exif()
    made[271] = "Voigtländer".encode("latin-1")
    made[306] = "2001:02:03 04:05:06"
    made.get_ifd(34665)[36867] = "2000:01:02 03:04:05"
    made.get_ifd(34665)[37500] = b"maker\0notes"
    made.get_ifd(34665)[40965] = {1: "R98"}
    made.get_ifd(34853).update({1: "N", 2: (52.0, 30.0, 15.5), 3: "E", 4: (13.0, 24.0, 1.0)})
    if orientation is not None:
        made[274] = orientation
    return made.tobytes()


def wide_gamut(space: bytes = b"RGB ", gamma: float = 2.2) -> bytes:
    """An ICC v2 profile with Adobe RGB's primaries, or of a grey space with that gamma."""

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(v * 65536)) for v in values)

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    name = b"wide\0"
    text = b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + bytes(8 + 3 + 67 + 3)
    tags = {b"desc": text, b"cprt": b"text\0\0\0\0none\0\0\0\0", b"wtpt": xyz(0.9642, 1, 0.8249)}
    if space == b"RGB ":
        tags |= {b"rXYZ": xyz(0.60974, 0.31111, 0.01947), b"gXYZ": xyz(0.20528, 0.62567, 0.06087)}
        tags |= {b"bXYZ": xyz(0.14919, 0.06322, 0.74457), b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    else:
        tags |= {b"kTRC": curve}
    table, body = b"", b""
    start = 128 + 4 + 12 * len(tags)
    for tag, data in tags.items():
        data += bytes(-len(data) % 4)
        table += tag + struct.pack(">II", start + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s", start + len(body), b"lcms", 0x02100000, b"mntr", space, b"XYZ ")
    head += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + xyz(0.9642, 1, 0.8249)[8:]
    return head + bytes(128 - len(head)) + struct.pack(">I", len(tags)) + table + body


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def assert_exif(found: bytes | None) -> None:
    assert found is not None and not found.startswith(b"Exif")
    read = Image.Exif()
    read.load(found)
    assert read.get(274, 1) == 1
    assert read[271] == "Voigtländer" and read[306] == "2001:02:03 04:05:06"
    assert read.get_ifd(34665)[36867] == "2000:01:02 03:04:05"
    assert read.get_ifd(34665)[37500] == b"maker\0notes"
    assert read.get_ifd(34853)[2] == (52.0, 30.0, 15.5) and read.get_ifd(34853)[3] == "E"


def tiff(path: Path, values: np.ndarray, **options: Any) -> Photo:
    """A TIFF that tifffile wrote, as limner reads it."""
    tifffile.imwrite(path, values, metadata=None, **options)
    return Photo.open(path)
