"""From a file to the pixels of a photograph and what the file says of them, or one clear sentence why not."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from limner.errors import PhotoError
from limner.photo.contents import Contents
from limner.photo.exif import dpi_of, exif_of, orientation_of, upright
from limner.photo.icc import rgb_image
from limner.photo.provenance import packet_of
from limner.photo.sixteen_bit import decode

_READABLE = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP")

# Pillow's own limit is one number for the whole process; ours is an argument, so Pillow's is lifted while a
# header is read, by one thread at a time.
_PILLOW_LIMIT = threading.Lock()


def read(path: Path, max_megapixels: float) -> Contents:
    """Reads a photograph, upright; `limner.Photo.open` says what becomes of each kind of file.

    Args:
        path: of the file.
        max_megapixels: the largest picture that is decoded, in millions of pixels.

    Raises:
        PhotoError: the file can't be read, is no photograph, is damaged or too large.
    """
    try:
        if path.is_dir():
            raise PhotoError(f"{path} is a folder: name a photo in it.")
        if path.exists() and not path.is_file():
            raise PhotoError(f"{path} is a pipe or a device: name a file.")
        with path.open("rb") as file:
            return _read(file, path, max_megapixels)
    except FileNotFoundError as error:
        raise PhotoError(f"{path} does not exist: check the name.") from error
    except OSError as error:
        raise PhotoError(f"{path} can't be read ({error.strerror or error}): check its permissions.") from error


def check_limit(max_megapixels: float) -> None:
    """
    Raises:
        PhotoError: if it is no number above 0.
    """
    if not max_megapixels > 0:  # nan is no number
        raise PhotoError(f"A limit of {max_megapixels:g} megapixels lets no photo pass: give a number above 0.")


def _read(file: BinaryIO, path: Path, max_megapixels: float) -> Contents:
    head = file.read(32)
    if not head:
        raise PhotoError(f"{path} is empty (zero bytes): get the photo again from its source.")
    file.seek(0)
    try:
        with _pillow_limit_lifted():
            image = Image.open(file, formats=_READABLE)
    # Decoders meet damage with many an exception: struct.error, KeyError, SyntaxError, OverflowError.
    except Exception as error:
        raise _not_a_photo(file, head, path) from error

    format = "JPEG" if image.format == "MPO" else str(image.format)
    megapixels = image.width * image.height / 1e6
    if megapixels > max_megapixels:
        raise PhotoError(
            f"{path} claims {image.width}x{image.height} px, more than the limit of "
            f"{max_megapixels:g} megapixels: raise it with --max-megapixels if you trust the file."
        )
    orientation = orientation_of(image)
    try:
        pages = _pages(image)
        if pages == 1:
            image.load()
    except Exception as error:
        raise _damaged(path, format) from error
    if pages > 1:
        many = f"has {pages} pages" if format == "TIFF" else f"is animated ({pages} frames)"
        raise PhotoError(f"{path} {many}: extract one {'page' if format == 'TIFF' else 'frame'} first.")

    deep = _sixteen_bit_channels(image, file, head, path)
    channels, grey, icc = deep or _channels(image, path)
    # A TIFF has been turned already, by Pillow as by OpenCV.
    channels = upright(channels, 1 if format == "TIFF" else orientation)
    colours, alpha = (channels[..., :-1], channels[..., -1]) if channels.shape[2] in (2, 4) else (channels, None)
    xmp = packet_of(image)
    return Contents(
        pixels=np.repeat(colours, 3, axis=2) if colours.shape[2] == 1 else np.ascontiguousarray(colours),
        format=format,
        alpha=None if alpha is None else np.ascontiguousarray(alpha),
        grey=grey,
        icc=icc or None,
        exif=exif_of(image),
        xmp=re.sub(rb"(tiff:Orientation\s*(?:=\s*[\"']|>)\s*)[2-8]", rb"\g<1>1", xmp) if xmp else None,
        dpi=dpi_of(image, turned=orientation >= 5),
        path=path,
    )


@contextmanager
def _pillow_limit_lifted() -> Iterator[None]:
    with _PILLOW_LIMIT:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _pages(image: Image.Image) -> int:
    """Frames or pages; a JPEG's second picture and a TIFF's previews and masks don't count."""
    frames = getattr(image, "n_frames", 1)
    if image.format == "MPO":
        return 1
    if frames == 1 or not isinstance(image, TiffImageFile):
        return frames
    pages = 0
    for i in range(frames):
        image.seek(i)
        pages += not _tag(image, 254, 0) & 0b101  # NewSubfileType: reduced, mask
    image.seek(0)
    return max(pages, 1)


def _tag(image: TiffImageFile, tag: int, default: int) -> int:
    """The first value of a TIFF tag."""
    value = image.tag_v2.get(tag, default)
    return int(value[0] if isinstance(value, tuple) else value)


def _damaged(path: Path, format: str) -> PhotoError:
    return PhotoError(f"{path} is a damaged or truncated {format}: get a whole copy of it.")


def _not_a_photo(file: BinaryIO, head: bytes, path: Path) -> PhotoError:
    """Why Pillow couldn't open a file in one of our formats."""
    ours = {
        "JPEG": head.startswith(b"\xff\xd8\xff"),
        "PNG": head.startswith(b"\x89PNG"),
        "WEBP": head.startswith(b"RIFF") and head[8:12] == b"WEBP",
        "AVIF": head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"avis"),
        "BMP": head.startswith(b"BM") and head[6:10] == bytes(4),
    }
    for format, here in ours.items():
        if here:
            return _damaged(path, format)
    other = "HEIC" if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"mif1", b"hevc") else None
    if other is None:
        try:
            file.seek(0)
            with _pillow_limit_lifted(), Image.open(file) as image:
                other = image.format
        except Exception:
            other = "TIFF" if head.startswith((b"II\x2a\0", b"MM\0\x2a")) else None
    if other == "TIFF":
        return PhotoError(f"{path} is a TIFF that is damaged, truncated or of a rare kind: save it anew as PNG.")
    if other is not None:
        return PhotoError(f"{path} is a {other} file, which limner doesn't read: convert it to PNG or JPEG.")
    return PhotoError(f"{path} is not a picture, whatever its name says: choose a photo.")


def _sixteen_bit_channels(
    image: Image.Image, file: BinaryIO, head: bytes, path: Path
) -> tuple[np.ndarray, bool, bytes | None] | None:
    """As `_channels`, in uint16; None if the file has 8 bits a channel."""
    deep = (image.format == "PNG" and head[24] == 16) or (
        isinstance(image, TiffImageFile) and _tag(image, 258, 1) == 16
    )
    if not deep or image.mode not in ("RGB", "RGBA", "RGBX", "LA"):
        return None
    file.seek(0)
    channels = decode(file.read())
    if channels is None:
        raise PhotoError(f"{path} holds 16-bit colour in a way that limner can't read: save it anew as 16-bit PNG.")
    if image.mode == "RGBX":  # the fourth channel is not said to be alpha
        channels = channels[..., :3]
    # PNG's colour type 4 is grey with alpha, which OpenCV gives as three equal channels with alpha.
    grey = image.format == "PNG" and head[25] == 4
    return (channels[..., [0, -1]] if grey else channels), grey, image.info.get("icc_profile")


def _channels(image: Image.Image, path: Path) -> tuple[np.ndarray, bool, bytes | None]:
    """The pixels as Pillow has them (H, W, 1 to 4), whether they are grey, and the profile of them."""
    icc = image.info.get("icc_profile")
    if image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16)[..., None], True, icc
    mode, transparent = image.mode, "transparency" in image.info
    if mode in ("CMYK", "LAB"):
        return np.asarray(rgb_image(image, icc)), False, None
    wanted = {
        "1": "L",
        "L": "LA" if transparent else "L",
        "LA": "LA",
        "La": "LA",
        "P": "RGBA" if transparent else "RGB",
        "PA": "RGBA",
        "RGB": "RGBA" if transparent else "RGB",
        "RGBX": "RGB",
        "YCbCr": "RGB",
        "RGBA": "RGBA",
        "RGBa": "RGBA",
    }.get(mode)
    if wanted is None:
        raise PhotoError(f"{path} holds {mode} pixels, which limner doesn't read: save it with 8 or 16 bit a channel.")
    array = np.asarray(image if mode == wanted else image.convert(wanted))
    return (array[..., None] if array.ndim == 2 else array), wanted.startswith("L"), icc
