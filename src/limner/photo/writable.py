"""Whether a photograph can be written to a file, which is known before any net runs."""

from pathlib import Path

from limner.errors import PhotoError
from limner.photo.contents import SUFFIXES, Contents, suffix_of
from limner.photo.heif import library

WITHOUT_ALPHA = ("JPEG",)
LONGEST_SIDE = {"JPEG": 65_500, "WEBP": 16_383, "AVIF": 32_768, "PNG": 1_000_000}
"""Of formats whose sides are limited, in pixels; longer AVIF and PNG are written, but libavif and libpng don't
read them."""


def check_writable(contents: Contents, path: Path, quality: int | None, factor: int = 1) -> str:
    """The format in which a photograph will be written.

    Args:
        contents: the photograph.
        path: its suffix gives the format; without a suffix it is the input's.
        quality: 1 to 100, or None.
        factor: the photograph will be so many times as large.

    Raises:
        PhotoError: the path is the photo's own, its suffix is unknown, the format can't hold the photo's
            transparency or size or its library is missing, or the quality doesn't exist.
    """
    check_quality(quality)
    format = SUFFIXES.get(check_suffix(path), contents.format)
    if contents.path is not None and same_file(path, contents.path):
        raise PhotoError(f"{path} is the input itself, which limner never changes: choose another output.")
    if contents.alpha is not None and format in WITHOUT_ALPHA and (contents.alpha != contents.peak).any():
        raise PhotoError(
            f"{path} can't be written: the photo has transparent parts and {format} holds none, "
            "so choose .png, .webp, .avif or .tif."
        )
    if format == "HEIF":
        _check_heif(path)
    height, width = (factor * side for side in contents.pixels.shape[:2])
    if max(height, width) > LONGEST_SIDE.get(format, max(height, width)):
        raise PhotoError(
            f"{path} can't be written: {width} x {height} pixels are more than the {LONGEST_SIDE[format]} px a side "
            f"that {format} holds, so choose {'.tif' if format == 'PNG' else '.png or .tif'}."
        )
    return format


def _check_heif(path: Path) -> None:
    try:
        library()
    except PhotoError as error:
        raise PhotoError(f"{path} {error}") from error


def check_suffix(path: Path) -> str:
    """The suffix of a file to write, in lower case; empty where it has none.

    Raises:
        PhotoError: limner writes no such format.
    """
    if (suffix := suffix_of(path)) and suffix not in SUFFIXES:
        raise PhotoError(f"{path} can't be written: limner writes .jpg, .png, .webp, .avif, .heic, .tif and .bmp.")
    return suffix


def check_quality(quality: int | None) -> None:
    """
    Raises:
        PhotoError: if it is neither 1 to 100 nor None.
    """
    if quality is not None and not 1 <= quality <= 100:
        raise PhotoError(f"There is no quality {quality}: choose 1 to 100.")


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to the same file, which is there."""
    try:
        return one.samefile(other)
    except OSError:
        return False
