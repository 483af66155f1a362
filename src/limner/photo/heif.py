"""HEIC and HEIF, the photos of phones: read and written by pillow-heif, the extra `heif`."""

from __future__ import annotations

from io import BytesIO
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image

from limner.errors import PhotoError
from limner.extras import needed
from limner.photo.container import Container, Pixels
from limner.photo.pillow import pixels_of, without_exif_item

BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"mif2")


def library() -> ModuleType:
    """pillow-heif.

    Raises:
        PhotoError: it isn't installed, as the end of a sentence.
    """
    with needed("pillow-heif", "is a HEIC photo, which", PhotoError):
        import pillow_heif
    return pillow_heif


def open_heif(data: bytes) -> Container:
    """Opens the primary picture of a HEIF file. What the file says of its turn libheif applies itself."""
    heif = library()
    notes: tuple[str, ...] = ()
    try:
        picture = _primary(heif, data)
    except Exception:
        picture = _primary(heif, without_exif_item(data))
        notes = ("The EXIF is damaged and was left out.",)
    if picture.info.get("aux"):
        notes += ("Further pictures in the HEIC file (a gain map, a depth map) can't be kept.",)

    def decode() -> Pixels:
        image = picture.to_pillow()
        if image.size != picture.size:
            raise ValueError("two sizes")
        return pixels_of(image, picture.info.get("icc_profile"))

    info = picture.info
    return Container(
        "HEIF",
        picture.size,
        decode,
        orientation=1,
        exif=info.get("exif"),
        xmp=info.get("xmp"),
        icc=info.get("icc_profile"),
        notes=notes,
    )


def encode_heif(pixels: np.ndarray, quality: int, icc: bytes | None, exif: bytes | None, xmp: bytes | None) -> bytes:
    """A HEIC file of (H, W) or (H, W, 2 to 4) uint8, its colours in half resolution, as phones show it."""
    image = Image.fromarray(pixels)
    if icc:
        image.info["icc_profile"] = icc
    file = BytesIO()
    library().from_pillow(image).save(file, quality=quality, exif=exif and b"Exif\0\0" + exif, xmp=xmp)
    return file.getvalue()


def _primary(heif: ModuleType, data: bytes) -> Any:
    file = heif.open_heif(BytesIO(data))
    return file[file.primary_index]
