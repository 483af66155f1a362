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
from PIL import Image

from limner.errors import PhotoError
from limner.photo import exif, icc, xmp
from limner.photo.bmp import with_alpha
from limner.photo.contents import Contents
from limner.photo.heif import encode_heif
from limner.photo.jpeg import SEGMENT_LIMIT, with_words
from limner.photo.png import about, sixteen_bit, with_chunks
from limner.photo.provenance import Provenance
from limner.photo.sixteen_bit import eight_bit
from limner.photo.tiff_write import encode_tiff
from limner.photo.writable import WITHOUT_ALPHA, check_writable
from limner.process import is_gone, processes

_OF_THREE_COLOURS = ("WEBP", "AVIF")  # also where the photo is grey
_WORDS = {"iptc": "IPTC caption and keywords", "words": "comments and texts"}
_WITHOUT_PLACE = {
    "WEBP": _WORDS,
    "AVIF": _WORDS,
    "HEIF": _WORDS,
    "BMP": {"icc": "colour profile", "exif": "EXIF", "xmp": "XMP", **_WORDS},
}
"""What of a photo's metadata a format can't hold, and what it is called."""
_JPEG_XMP_LIMIT = 65_502  # bytes in one APP1 segment
_JPEG_EXIF_LIMIT = SEGMENT_LIMIT - len(exif.PREFIX)
_QUALITY = 95
_PART = re.compile(r"\.(?:([0-9a-f]{8})([0-9a-f]{8}))?[0-9a-f]{16}\.part")
"""Names of temporary files: whose they are (`process.processes` and the process's number; earlier versions didn't say),
then chance."""
_ABANDONED = 3600  # seconds


def write(contents: Contents, path: Path, quality: int | None, provenance: Provenance | None) -> tuple[str, ...]:
    """Writes a photograph; `limner.Photo.save` says what goes along.

    Args:
        contents: the photograph.
        path: its suffix gives the format; without a suffix it is the input's.
        quality: 1 to 100, or None for the source's own of a JPEG, and 95 else.
        provenance: what to say of the restoration in the XMP, or None.

    Returns:
        What could not go along, one sentence each.

    Raises:
        PhotoError: what `check_writable` refuses, or writing fails.
    """
    format = check_writable(contents, path, quality)
    if format in WITHOUT_ALPHA:
        contents = replace(contents, alpha=None)
    fitted, notes = _fitted(replace(contents, format=format), provenance)
    try:
        data, note = _encode(fitted, quality)
    except PhotoError as error:
        raise PhotoError(f"{path} {error}") from error
    except (OSError, ValueError, RuntimeError, MemoryError, OverflowError, struct.error) as error:
        raise PhotoError(f"{path} can't be written as {format} ({error}): choose another format.") from error
    write_atomically(path, data, _permissions(contents.path))
    return (*notes, *([note] if note else []))


def part_beside(path: Path) -> Path:
    """The name of a temporary file for what becomes `path`; `sweep` knows by it whose it is."""
    # A short name of its own: a suffix to a long name could pass the file system's limit.
    return path.with_name(f".{processes()}{os.getpid():08x}{secrets.token_hex(8)}.part")


def sweep(folder: Path) -> None:
    """Takes away what a run left in a folder that was killed amid a file: temporary files of processes
    that have ended, and where that can't be told, those that nobody has written to for an hour."""
    for part in folder.glob(".*.part"):
        with suppress(OSError):
            if (found := _PART.fullmatch(part.name)) and (
                (found[1] and is_gone(found[1], int(found[2], 16))) or time.time() - part.stat().st_mtime > _ABANDONED
            ):
                part.unlink()


def save_png(path: Path, picture: np.ndarray) -> None:
    """Writes a plain picture, (H, W, 3) uint8 RGB, as PNG; for what is no photograph of the user's.

    Raises:
        PhotoError: the folder is missing or can't be written to.
    """
    data = BytesIO()
    Image.fromarray(picture).save(data, "PNG")
    write_atomically(path, data.getvalue())


def write_atomically(path: Path, data: bytes, permissions: int | None = None) -> None:
    """Write a file through a temporary one beside it, so that `path` is never seen half written.

    Args:
        path: of the file.
        data: all of it.
        permissions: of the file, as `stat` counts them; None for those that the system gives.

    Raises:
        PhotoError: the folder is missing or can't be written to.
    """
    part = part_beside(path)
    try:
        try:
            with part.open("xb") as file:
                if permissions is not None:
                    part.chmod(permissions)  # while there is nothing to be read in it
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise PhotoError(f"{path} can't be written ({error.strerror or error}): check the folder.") from error


def _permissions(source: Path | None) -> int | None:
    """Those of the photo's own file: what was private stays so. Its owner may always write."""
    try:
        return None if source is None else (source.stat().st_mode & 0o777) | 0o200
    except OSError:
        return None


def _fitted(contents: Contents, provenance: Provenance | None) -> tuple[Contents, list[str]]:
    """The photo with metadata that say its present size and fit into its format, and what gave way."""
    height, width = contents.pixels.shape[:2]
    notes = _left_out(contents)
    packet = provenance.merged(contents.xmp) if provenance else contents.xmp
    packet = xmp.with_size(packet, width, height) if packet else None
    block = exif.with_size(contents.exif, width, height) if contents.exif else None
    if contents.format == "JPEG":
        if packet and len(packet) > _JPEG_XMP_LIMIT:
            packet = provenance.xmp().encode() if provenance else None
            notes.append("The XMP is too long for a JPEG and was left out.")
        if block:
            block, note = exif.within(block, _JPEG_EXIF_LIMIT)
            notes += [note] if note else []
    if contents.format == "AVIF" and block:
        block = exif.without_turn(block)  # Pillow would write all of it anew
    return replace(contents, exif=block, xmp=packet), notes


def _left_out(contents: Contents) -> list[str]:
    """One sentence on what the format has no place for, if there is any."""
    table = _WITHOUT_PLACE.get(contents.format, {})
    lost = [f"the {name}" for field, name in table.items() if getattr(contents, field)]
    if not lost:
        return []
    named = " and ".join([", ".join(lost[:-1]), lost[-1]] if len(lost) > 1 else lost)
    return [f"{contents.format} has no place for {named}: left out."]


def _encode(contents: Contents, quality: int | None) -> tuple[bytes, str | None]:
    """The file's bytes, and one sentence on what could not go along."""
    profile = contents.icc
    if profile and contents.grey and contents.format in _OF_THREE_COLOURS and icc.is_grey(profile):
        # A profile of one channel is wrong for three.
        alpha = None if contents.alpha is None else eight_bit(contents.alpha)
        contents, profile = replace(contents, pixels=_in_srgb(contents), alpha=alpha), None
    array, format = _channels(contents), contents.format
    about_it = {"icc": profile, "exif": contents.exif, "xmp": contents.xmp}
    said = {"iptc": contents.iptc, "dpi": contents.dpi}
    if format == "TIFF":
        # TIFF with 16-bit grey and alpha is read by hardly any program, ours included.
        if array.shape[2] == 2 and array.dtype == np.uint16:
            array = array[..., [0, 0, 0, 1]]
        words = "\n".join(text if key == "Comment" else f"{key}: {text}" for key, text in contents.words)
        return encode_tiff(array, **about_it, **said, description=words), None
    if format == "PNG":
        plain = sixteen_bit(array) if array.dtype == np.uint16 else _by_pillow(array, "PNG")
        chunks = [*contents.png_colour, *about(**about_it, **said, words=contents.words)]
        return with_chunks(plain, chunks), None
    array = eight_bit(array)
    if format == "HEIF":
        return encode_heif(array.squeeze(2) if array.shape[2] == 1 else array, quality or _QUALITY, **about_it), None
    if format == "BMP" and contents.alpha is not None:
        return with_alpha(array if array.shape[2] == 4 else array[..., [0, 0, 0, 1]], contents.dpi), None
    data = _by_pillow(array, format, **_pillow_options(replace(contents, icc=profile), quality))
    return with_words(data, contents.iptc, contents.words) if format == "JPEG" else (data, None)


def _in_srgb(contents: Contents) -> np.ndarray:
    pixels, to_srgb = eight_bit(contents.pixels), icc.transform(contents.icc, True, True)
    return pixels if to_srgb is None else icc.apply(to_srgb, pixels)


def _channels(contents: Contents) -> np.ndarray:
    """(H, W, C) as it is stored: grey, grey with alpha, RGB or RGB with alpha."""
    colours = contents.pixels
    if contents.grey:
        equal = (colours == colours[..., :1]).all()
        colours = colours[..., :1] if equal else np.rint(colours @ np.array([0.299, 0.587, 0.114]))[..., None]
        colours = colours.astype(contents.pixels.dtype)
    if contents.alpha is None:
        return colours
    alpha = contents.alpha if contents.alpha.dtype == colours.dtype else eight_bit(contents.alpha)
    return np.concatenate([colours, alpha[..., None]], axis=2)


def _by_pillow(array: np.ndarray, format: str, **options: object) -> bytes:
    file = BytesIO()
    Image.fromarray(array.squeeze(2) if array.shape[2] == 1 else array).save(file, format, **options)
    return file.getvalue()


def _pillow_options(contents: Contents, quality: int | None) -> dict[str, object]:
    """What `Image.save` is given beside the pixels."""
    options: dict[str, object] = {"icc_profile": contents.icc} if contents.icc else {}
    if contents.exif:
        options["exif"] = exif.PREFIX + contents.exif
    if contents.dpi:
        options["dpi"] = contents.dpi
    if contents.xmp:
        options["xmp"] = contents.xmp
    if contents.format == "JPEG":
        options["optimize"] = True
        if contents.jpeg and quality is None:
            options |= {"qtables": contents.jpeg.tables, "subsampling": contents.jpeg.subsampling}
        else:
            options |= {"quality": quality or _QUALITY, "subsampling": "4:4:4"}
    elif contents.format == "WEBP":
        # exact: colours under transparent pixels are kept.
        lossless = quality == 100 or (contents.lossless and quality is None)
        options |= {"quality": quality or _QUALITY, "lossless": lossless, "exact": True}
    elif contents.format == "AVIF":
        options |= {"quality": quality or _QUALITY, "subsampling": "4:4:4"}
    return options
