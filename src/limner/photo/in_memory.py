"""Pictures that other libraries hold in memory, Pillow's and NumPy's, as photographs and back."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from limner.errors import PhotoError
from limner.photo.container import Container, Pixels
from limner.photo.contents import SUFFIXES, Contents
from limner.photo.pillow import pixels_of
from limner.photo.read import decoded
from limner.photo.sixteen_bit import eight_bit

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "The picture"
"""What sentences on a picture call it that has no path."""


def contents_of(picture: Image.Image | NDArray[np.generic]) -> Contents:
    """A picture in memory as a photograph that was never a file.

    Args:
        picture: as `limner.Photo.of` takes it.

    Raises:
        PhotoError: its mode, shape, type or values are no photograph's.
    """
    container = _of_pillow(picture) if isinstance(picture, Image.Image) else _of_array(picture)
    return decoded(container, NAME, None, float("inf"))


def image_of(contents: Contents) -> Image.Image:
    """A photograph as a picture of Pillow's, 8 bit, in the photograph's own colour space.

    Returns:
        Of mode L, LA, RGB or RGBA, with the colour profile, where there is one, as `info["icc_profile"]`.
    """
    channels = contents.pixels[..., :1] if contents.grey else contents.pixels
    if contents.alpha is not None:
        channels = np.dstack([channels, contents.alpha])
    image = Image.fromarray(eight_bit(channels[..., 0] if channels.shape[2] == 1 else channels))
    if contents.icc:
        image.info["icc_profile"] = contents.icc
    return image


def _of_pillow(image: Image.Image) -> Container:
    with suppress(Exception):  # damage is told where the pixels are decoded
        image.load()  # metadata may stand behind the pixels
    info, format = image.info, image.format or ""
    return Container(
        format if format in SUFFIXES.values() else "PNG",
        image.size,
        lambda: pixels_of(image, info.get("icc_profile")),
        exif=info.get("exif"),
        xmp=info.get("xmp"),
        icc=info.get("icc_profile"),
        dpi=info.get("dpi"),
    )


def _of_array(array: NDArray[np.generic]) -> Container:
    channels = array[..., None] if array.ndim == 2 else array
    if channels.ndim != 3 or channels.shape[2] not in (1, 3, 4) or 0 in channels.shape:
        raise PhotoError(
            f"{NAME} is an array of the shape {array.shape}: give (H, W) for grey, (H, W, 3) for RGB, (H, W, 4) with "
            "an alpha."
        )
    if np.issubdtype(channels.dtype, np.floating):
        channels = _whole(channels.astype(np.float64))
    elif channels.dtype not in (np.uint8, np.uint16):
        raise PhotoError(f"{NAME} is an array of {array.dtype}: give uint8, uint16, or floats in [0, 1].")
    pixels = Pixels(channels.copy(), grey=channels.shape[2] == 1)  # whoever changes the array later changes no photo
    return Container("PNG", (channels.shape[1], channels.shape[0]), lambda: pixels)


def _whole(values: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Floats in [0, 1] in steps of 1/65535, which loses nothing that was 8 or 16 bit before."""
    least, most = values.min(), values.max()
    if not (least >= 0 and most <= 1):  # nan neither
        raise PhotoError(
            f"{NAME} is an array of floats from {least:g} to {most:g}, and not in [0, 1]: divide 0 to 255 by 255, and "
            "halve -1 to 1 and add 0.5."
        )
    return np.rint(values * 65535).astype(np.uint16)
