"""From a photograph to its file, whole or not at all."""

import os
import re
import secrets
import struct
import time
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from limner.errors import PhotoError
from limner.photo.contents import Contents
from limner.photo.provenance import Provenance
from limner.photo.sixteen_bit import eight_bit, encode_png, encode_tiff
from limner.photo.writable import WITHOUT_ALPHA, check_writable

_JPEG_XMP_LIMIT = 65_502  # bytes in one APP1 segment
_QUALITY = 95
_PART = re.compile(r"\.[0-9a-f]{16}\.part")
_ABANDONED = 3600  # seconds


def write(contents: Contents, path: Path, quality: int | None, provenance: Provenance | None) -> None:
    """Writes a photograph; `limner.Photo.save` says what goes along.

    Args:
        contents: the photograph.
        path: its suffix gives the format; without a suffix it is the input's.
        quality: 1 to 100, or None for 95.
        provenance: what to say of the restoration in the XMP, or None.

    Raises:
        PhotoError: what `check_writable` refuses, or writing fails.
    """
    format = check_writable(contents, path, quality)
    alpha = None if format in WITHOUT_ALPHA else contents.alpha
    xmp = provenance.merged(contents.xmp) if provenance else contents.xmp
    if xmp and format == "JPEG" and len(xmp) > _JPEG_XMP_LIMIT:
        xmp = provenance.xmp().encode() if provenance else None
    try:
        data = _encode(replace(contents, format=format, alpha=alpha, xmp=xmp), quality or _QUALITY)
    except (OSError, ValueError, RuntimeError, struct.error) as error:
        raise PhotoError(f"{path} can't be written as {format} ({error}): choose another format.") from error
    write_atomically(path, data)


def sweep(folder: Path) -> None:
    """Takes away what `write_atomically` left in a folder when its run was killed amid it: temporary files that nobody
    has written to for an hour."""
    for part in folder.glob(".*.part"):
        with suppress(OSError):
            if _PART.fullmatch(part.name) and time.time() - part.stat().st_mtime > _ABANDONED:
                part.unlink()


def save_png(path: Path, picture: np.ndarray) -> None:
    """Writes a plain picture as PNG; it is for what is no photograph of the user's.

    Args:
        path: the file.
        picture: (H, W, 3) uint8 RGB.

    Raises:
        PhotoError: the folder is missing or can't be written to.
    """
    data = BytesIO()
    Image.fromarray(picture).save(data, "PNG")
    write_atomically(path, data.getvalue())


def write_atomically(path: Path, data: bytes) -> None:
    """Writes a file through a temporary one in its folder, so that it is never seen half written.

    Args:
        path: the file.
        data: all of it.

    Raises:
        PhotoError: the folder is missing or can't be written to.
    """
    # A short name of its own: a suffix to a long name could pass the file system's limit.
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        try:
            with part.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise PhotoError(f"{path} can't be written ({error.strerror or error}): check the folder.") from error


def _encode(contents: Contents, quality: int) -> bytes:
    colours = contents.pixels
    if contents.grey:
        equal = (colours == colours[..., :1]).all()
        colours = colours[..., :1] if equal else np.rint(colours @ np.array([0.299, 0.587, 0.114]))[..., None]
    channels = [colours.astype(contents.pixels.dtype)] + ([] if contents.alpha is None else [contents.alpha[..., None]])
    array = np.concatenate(channels, axis=2)
    about = {"icc": contents.icc, "exif": contents.exif, "xmp": contents.xmp, "dpi": contents.dpi}
    if contents.format == "TIFF":
        # TIFF with 16-bit grey and alpha is read by hardly any program, ours included.
        if array.shape[2] == 2 and array.dtype == np.uint16:
            array = array[..., [0, 0, 0, 1]]
        return encode_tiff(array, **about)
    if contents.format == "PNG" and array.dtype == np.uint16:
        return encode_png(array, **about)

    image = Image.fromarray(eight_bit(array).squeeze(2) if array.shape[2] == 1 else eight_bit(array))
    file = BytesIO()
    image.save(file, contents.format, **_pillow_options(contents, quality))
    return file.getvalue()


def _pillow_options(contents: Contents, quality: int) -> dict[str, object]:
    """What `Image.save` is given besides the pixels."""
    options: dict[str, object] = {"icc_profile": contents.icc} if contents.icc else {}
    if contents.exif:
        options["exif"] = b"Exif\0\0" + contents.exif
    if contents.dpi:
        options["dpi"] = contents.dpi
    if contents.format == "PNG" and contents.xmp:
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", contents.xmp.decode("utf-8", "replace"))
        options["pnginfo"] = text
    elif contents.xmp:
        options["xmp"] = contents.xmp
    if contents.format == "JPEG":
        options |= {"quality": quality, "subsampling": "4:4:4", "optimize": True}
    elif contents.format == "WEBP":
        # exact: colours under transparent pixels are kept.
        options |= {"quality": quality, "lossless": quality == 100, "exact": True}
    elif contents.format == "AVIF":
        options |= {"quality": quality, "subsampling": "4:4:4"}
    return options
