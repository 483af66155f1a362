"""What Pillow decodes: its modes as channels, and the format whose container needs no care of ours (AVIF)."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import numpy as np
from PIL import Image

from limner.errors import PhotoError
from limner.photo.container import Container, Pixels
from limner.photo.icc import rgb_image

# Pillow's own limit is one number for the whole process; ours is an argument, so Pillow's is lifted while a
# header is read, by one thread at a time.
_LIMIT = threading.Lock()
_WANTED = {
    "1": "L",
    "L": "L",
    "LA": "LA",
    "La": "LA",
    "P": "RGB",
    "PA": "RGBA",
    "RGB": "RGB",
    "RGBX": "RGB",
    "YCbCr": "RGB",
    "RGBA": "RGBA",
    "RGBa": "RGBA",
}
_WITH_COLOUR_KEY = {"L": "LA", "P": "RGBA", "RGB": "RGBA"}


@contextmanager
def limit_lifted() -> Iterator[None]:
    """Pillow's limit of pixels doesn't hold within, for callers that check the size themselves."""
    with _LIMIT:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def opened(data: bytes, *formats: str) -> Image.Image:
    """A picture of one of these formats, not yet decoded. Raises whatever Pillow raises on damage."""
    with limit_lifted():
        return Image.open(BytesIO(data), formats=formats or None)


def pixels_of(image: Image.Image, icc: bytes | None = None) -> Pixels:
    """Decodes a picture.

    Args:
        image: as Pillow opened it.
        icc: the profile of CMYK pixels.

    Raises:
        PhotoError: it holds pixels that are no photograph's, as the end of a sentence.
    """
    mode = image.mode
    if mode.startswith("I;16"):
        return Pixels(np.asarray(image).astype(np.uint16)[..., None], grey=True)
    if mode in ("CMYK", "LAB"):
        return Pixels(np.asarray(rgb_image(image, icc)), grey=False, in_srgb=True)
    wanted = _WANTED.get(mode)
    if "transparency" in image.info:
        wanted = _WITH_COLOUR_KEY.get(mode, wanted)
    if wanted is None:
        raise PhotoError(unreadable(f"{mode} pixels"))
    array = np.asarray(image if mode == wanted else image.convert(wanted))
    return Pixels(array[..., None] if array.ndim == 2 else array, grey=wanted.startswith("L"))


def unreadable(pixels: str) -> str:
    """The end of the sentence on pixels that are no photograph's."""
    return f"holds {pixels}, which limner doesn't read: save it with 8 or 16 bit a channel."


def open_avif(data: bytes) -> Container:
    """Opens an AVIF; damaged EXIF, on which Pillow gives up, is hidden from it."""
    notes: tuple[str, ...] = ()
    try:
        image = opened(data, "AVIF")
    except Exception:
        image = opened(without_exif_item(data), "AVIF")
        notes = ("The EXIF is damaged and was left out.",)
    info = image.info
    return Container(
        "AVIF",
        image.size,
        lambda: pixels_of(image, info.get("icc_profile")),
        pages=getattr(image, "n_frames", 1),
        exif=info.get("exif"),
        xmp=info.get("xmp"),
        icc=info.get("icc_profile"),
        notes=notes,
    )


def without_exif_item(data: bytes) -> bytes:
    """An ISO media file (AVIF, HEIF) whose EXIF item bears a name that no decoder looks for."""
    return re.sub(rb"(infe[\x02\x03].{7})Exif", rb"\g<1>none", data, flags=re.DOTALL)
