"""From a file to the pixels of a photograph and what the file says of them, or one clear sentence why not.

Every format goes the same way: opened, its size held against the limit, its metadata cleaned, decoded.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from limner.errors import PhotoError
from limner.photo import exif, icc, xmp
from limner.photo.bmp import open_bmp
from limner.photo.container import Container, Pixels
from limner.photo.contents import Contents
from limner.photo.directory import DirectoryError
from limner.photo.heif import BRANDS, open_heif
from limner.photo.jpeg import open_jpeg
from limner.photo.pillow import open_avif, opened
from limner.photo.png import open_png
from limner.photo.tiff import open_tiff
from limner.photo.webp import open_webp

_LARGEST_OVERHEAD = 256_000_000  # bytes of a file beside its pixels: a video, layers, profiles
_RAW_FILES = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"\0MRM", b"FOVb")
T = TypeVar("T")
_JPEG_XL = (b"\xff\x0a", b"\0\0\0\x0cJXL ")


@dataclass(frozen=True)
class _Metadata:
    """What a file says beside its pixels, cleaned."""

    orientation: int
    dpi: tuple[float, float] | None
    exif: bytes | None
    xmp: bytes | None
    notes: tuple[str, ...]


def read(path: Path, max_megapixels: float) -> Contents:
    """Reads a photograph, upright; `limner.Photo.open` says what becomes of each kind of file.

    Args:
        path: of the file.
        max_megapixels: the largest picture that is decoded, in millions of pixels.

    Raises:
        PhotoError: the file can't be read, is no photograph, is damaged or too large.
    """
    return decoded(opened_container(path, max_megapixels), path, path, max_megapixels)


def decoded(container: Container, name: Path | str, path: Path | None, max_megapixels: float) -> Contents:
    """What an opened file holds, upright.

    Args:
        container: as its format's reader gives it.
        name: of the photograph, with which sentences on it begin.
        path: of its file; None of a picture that is none.
        max_megapixels: see `read`.

    Raises:
        PhotoError: it is damaged or too large.
    """
    width, height = container.size
    if width < 1 or height < 1:
        raise damaged(name, container.format)
    if not width * height <= max_megapixels * 1e6:
        raise PhotoError(
            f"{name} claims {width}x{height} px, more than the limit of "
            f"{max_megapixels:g} megapixels: raise it with --max-megapixels if you trust the file."
        )
    if container.pages > 1:
        many = f"{container.pages} pages" if container.format == "TIFF" else f"animated ({container.pages} frames)"
        verb, one = ("has", "page") if container.format == "TIFF" else ("is", "frame")
        raise PhotoError(f"{name} {verb} {many}: extract one {one} first.")
    metadata = _cleaned(container)
    pixels = _guarded(name, container.format, container.decode)
    if pixels.channels.shape[:2] != (height, width):
        raise damaged(name, container.format)
    return _contents(path, container, metadata, pixels)


def opened_container(path: Path, max_megapixels: float = float("inf")) -> Container:
    """Opens a file without decoding it.

    Raises:
        PhotoError: the file can't be read or is no photograph.
    """
    try:
        if path.is_dir():
            raise PhotoError(f"{path} is a folder: name a photo in it.")
        if path.exists() and not path.is_file():
            raise PhotoError(f"{path} is a pipe or a device: name a file.")
        with path.open("rb") as file:
            check_bytes(path, os.fstat(file.fileno()).st_size, max_megapixels)
            data = file.read()
    except FileNotFoundError as error:
        raise PhotoError(f"{path} does not exist: check the name.") from error
    except OSError as error:
        raise PhotoError(f"{path} can't be read ({error.strerror or error}): check its permissions.") from error
    except MemoryError as error:
        raise PhotoError(f"{path} needs more memory than there is: make it smaller first.") from error
    if not data:
        raise PhotoError(f"{path} is empty (zero bytes): get the photo again from its source.")
    format, opener = _format_of(data)
    if format is None or opener is None:
        raise _not_a_photo(data, path)
    return _guarded(path, format, lambda: opener(data))


def damaged(name: Path | str, format: str) -> PhotoError:
    if format == "TIFF":
        return PhotoError(f"{name} is a TIFF that is damaged, truncated or of a rare kind: save it anew as PNG.")
    return PhotoError(f"{name} is a damaged or truncated {format}: get a whole copy of it.")


def _format_of(data: bytes) -> tuple[str | None, Callable[[bytes], Container] | None]:
    brand = data[8:12] if data[4:8] == b"ftyp" else b""
    kinds: list[tuple[bool, str, Callable[[bytes], Container]]] = [
        (data.startswith(b"\xff\xd8\xff"), "JPEG", open_jpeg),
        (data.startswith(b"\x89PNG\r\n\x1a\n"), "PNG", open_png),
        (data.startswith(b"RIFF") and data[8:12] == b"WEBP", "WEBP", open_webp),
        (brand in (b"avif", b"avis") or (brand in BRANDS and b"avif" in data[16:64]), "AVIF", open_avif),
        (brand in BRANDS, "HEIF", open_heif),
        (data.startswith((b"II\x2a\0", b"MM\0\x2a", b"II\x2b\0", b"MM\0\x2b")), "TIFF", open_tiff),
        (data.startswith(b"BM") and data[6:10] == bytes(4), "BMP", open_bmp),
    ]
    return next(((format, opener) for here, format, opener in kinds if here), (None, None))


def _guarded(name: Path | str, format: str, work: Callable[[], T]) -> T:
    """What work gives. Decoders meet damage with many an exception: struct.error, KeyError, SyntaxError, ..."""
    try:
        return work()
    except PhotoError as error:
        raise PhotoError(f"{name} {error}") from error
    except MemoryError as error:
        raise PhotoError(f"{name} needs more memory than there is: make it smaller first.") from error
    except Exception as error:
        raise damaged(name, format) from error


def _not_a_photo(data: bytes, path: Path) -> PhotoError:
    """Why a file is in none of our formats."""
    if data.startswith(_RAW_FILES) or data[4:12] == b"ftypcrx ":
        return PhotoError(
            f"{path} holds a camera's raw values: develop it first, with the camera's program for instance."
        )
    other = "JPEG XL" if data.startswith(_JPEG_XL) else None
    try:
        other = other or opened(data).format
    except Exception:
        other = None
    if other is None:
        return PhotoError(f"{path} is not a picture, whatever its name says: choose a photo.")
    return PhotoError(f"{path} is a {other} file, which limner doesn't read: convert it to PNG or JPEG.")


def _cleaned(container: Container) -> _Metadata:
    """The metadata without what is damaged or no longer true, each told of in a note."""
    notes = list(container.notes)
    block, turn, dpi = None, 1, None
    if container.exif:
        try:
            block = exif.cleaned(container.exif)
            first = exif.first_directory(container.exif.removeprefix(exif.PREFIX))
            turn, dpi = exif.orientation_of(first), exif.dpi_of(first)
        except DirectoryError:
            notes.append("The EXIF is damaged and was left out.")
    packet = None
    if container.xmp:
        try:
            packet, note = xmp.without_claims(xmp.in_utf8(container.xmp))
            turn = xmp.turn_of(packet) if turn == 1 else turn
            packet = xmp.made_upright(packet)
            notes += [note] if note else []
        except ValueError:
            notes.append("The XMP is damaged and was left out.")
    turn = container.orientation or turn
    dpi = exif.sensible_dpi(*map(float, container.dpi)) if container.dpi else dpi
    if dpi and turn >= 5:
        dpi = dpi[1], dpi[0]
    return _Metadata(turn, dpi, block, packet, tuple(notes))


def _contents(path: Path | None, container: Container, metadata: _Metadata, pixels: Pixels) -> Contents:
    notes = [*metadata.notes, *pixels.notes]
    profile = None if pixels.in_srgb else container.icc
    if profile and not icc.fits(profile, pixels.grey):
        profile = None
        notes.append("The colour profile is damaged or for other pixels and was left out.")
    channels = exif.upright(pixels.channels, metadata.orientation)
    colours, alpha = (channels[..., :-1], channels[..., -1]) if channels.shape[2] in (2, 4) else (channels, None)
    jpeg = pixels.jpeg
    if jpeg and jpeg.subsampling == 1 and metadata.orientation >= 5:
        jpeg = None  # half the columns would have to become half the rows
    return Contents(
        pixels=np.repeat(colours, 3, axis=2) if colours.shape[2] == 1 else np.ascontiguousarray(colours),
        format=container.format,
        alpha=None if alpha is None else np.ascontiguousarray(alpha),
        grey=pixels.grey,
        icc=profile,
        exif=metadata.exif,
        xmp=metadata.xmp,
        iptc=container.iptc,
        words=container.words,
        dpi=metadata.dpi,
        png_colour=() if pixels.in_srgb else container.png_colour,
        jpeg=jpeg,
        lossless=container.lossless,
        path=path,
        notes=tuple(dict.fromkeys(notes)),
    )


def check_bytes(path: Path, size: int, max_megapixels: float) -> None:
    """Refuses files that are too large to be read at all.

    Raises:
        PhotoError: a photograph within the limit has never so many bytes.
    """
    if size > 16e6 * max_megapixels + _LARGEST_OVERHEAD:
        raise PhotoError(
            f"{path} is too large a file for a photo of {max_megapixels:g} megapixels: raise --max-megapixels if you "
            "trust it."
        )


def check_limit(max_megapixels: float) -> None:
    """Refuses a limit that lets no photo pass.

    Raises:
        PhotoError: if it is no number above 0.
    """
    if not max_megapixels > 0:  # nan is no number
        raise PhotoError(f"A limit of {max_megapixels:g} megapixels lets no photo pass: give a number above 0.")
