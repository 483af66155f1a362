"""What limner keeps of a photograph's file, and the formats of such files."""

import re
from dataclasses import dataclass
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
}
"""The format of a file by its suffix, in lower case."""


def suffix_of(path: Path) -> str:
    """The suffix of a file's name in lower case, empty where it has none: a dot amid words ("St. Petersburg 1912") or
    before a year ("oma.1912") makes none."""
    return path.suffix.lower() if re.fullmatch(r"\.(?=.*[A-Za-z])\w{1,8}", path.suffix) else ""


def with_tail(path: Path, tail: str) -> Path:
    """The path with `tail` behind its name and before its suffix."""
    return path.with_stem(path.stem + tail) if suffix_of(path) else path.with_name(path.name + tail)


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
    dpi: tuple[float, float] | None = None
    path: Path | None = None

    @property
    def peak(self) -> int:
        """The value of white: 255, or 65535 in a 16-bit photo."""
        return int(np.iinfo(self.pixels.dtype).max)
