"""What limner keeps of a photograph's file, and the formats of such files."""

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
