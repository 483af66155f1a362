"""What limner keeps of a photograph's file, and the formats of such files."""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

SUFFIXES = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".avif": "AVIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".heic": "HEIF",
    ".heif": "HEIF",
    ".hif": "HEIF",
}
"""The format of a file by its suffix, in lower case."""


def suffix_of(path: Path) -> str:
    """The suffix of a file's name in lower case, empty where it has none: a dot amid words ("St. Petersburg 1912") or
    before a year ("oma.1912") makes none."""
    return _suffix(path.suffix)


@lru_cache(maxsize=100)  # an archive asks for few, 100,000 times each
def _suffix(suffix: str) -> str:
    return suffix.lower() if re.fullmatch(r"\.(?=.*[A-Za-z])\w{1,8}", suffix) else ""


def with_tail(path: Path, tail: str) -> Path:
    """The path with `tail` behind its name and before its suffix."""
    if not tail:
        return path
    return path.with_stem(path.stem + tail) if suffix_of(path) else path.with_name(path.name + tail)


@dataclass(frozen=True)
class JpegCoding:
    """How coarsely a JPEG was stored, so that it can be stored alike.

    Attributes:
        tables: the quantisation tables by their number, 64 values each in rows.
        subsampling: 0 for colours in full resolution, 1 for half the columns, 2 for half of both.
    """

    tables: dict[int, list[int]]
    subsampling: int


@dataclass(frozen=True, eq=False)
class Contents:
    """Pixels and whatever the file says of them, as reading gives them and writing takes them. `limner.Photo`, which
    they make, says what each field is."""

    pixels: np.ndarray
    format: str
    alpha: np.ndarray | None = None
    grey: bool = False
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    words: tuple[tuple[str, str], ...] = ()
    dpi: tuple[float, float] | None = None
    png_colour: tuple[tuple[bytes, bytes], ...] = ()
    jpeg: JpegCoding | None = None
    lossless: bool = False
    path: Path | None = None
    notes: tuple[str, ...] = ()

    @property
    def peak(self) -> int:
        """The value of white: 255, or 65535 in a 16-bit photo."""
        return int(np.iinfo(self.pixels.dtype).max)
