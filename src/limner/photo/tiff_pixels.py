"""The pixels of a TIFF's page.

What has 8 bits or fewer Pillow decodes, as far as it knows the layout; everything else tifffile. Strips and tiles
that are compressed as plain bytes are unpacked here, within a limit; what only imagecodecs can, it does.
"""

import logging
import re
import struct
from dataclasses import replace
from io import BytesIO
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, UnidentifiedImageError

from limner.errors import PhotoError
from limner.extras import missing
from limner.photo.compression import OF_BYTES, unpacked
from limner.photo.container import Pixels
from limner.photo.directory import Directory, Layout
from limner.photo.icc import rgb_image
from limner.photo.pillow import opened, pixels_of, unreadable
from limner.photo.sixteen_bit import eight_bit

if TYPE_CHECKING:
    from tifffile import TiffPage

_WHITE_IS_ZERO, _GREY, _RGB, _PALETTE, _CMYK, _YCBCR, _LAB, _ICC_LAB = 0, 1, 2, 3, 5, 6, 8, 9
_COLOURS = {_WHITE_IS_ZERO: 1, _GREY: 1, _RGB: 3, _CMYK: 4, _LAB: 3, _ICC_LAB: 3}
_SAMPLE_FORMATS = {1: "whole", 2: "signed", 3: "float", 4: "whole", 5: "complex", 6: "complex"}
_MOST_SAMPLES = 8
_MOST_PIECES = 100_000  # strips or tiles
_JPEG, _ZSTD, _JPEG_2000 = 7, 50000, (33003, 33004, 33005, 34712)
_SIZ, _SOF = rb"\xff\x4f\xff\x51.{4}(.{8})", rb"\xff[\xc0-\xc3\xc5-\xc7\xc9-\xcb].{3}(.{4})"
_PREMULTIPLIED, _ALPHA = 1, 2  # kinds of extra channels


class Page:
    """What a directory says of a page's pixels.

    Attributes:
        size: width and height.
        bits: of a channel.
        samples: channels.
        photometric, compression: as TIFF numbers them.
        extra: the kinds of the channels beyond the colours.
    """

    def __init__(self, directory: Directory, layout: Layout):
        self.layout = layout
        self.size = directory.whole(256, 0), directory.whole(257, 0)
        self.bits = max(directory.wholes(258), default=1)
        self.samples = directory.whole(277, 1)
        self.photometric = directory.whole(262, _GREY)
        self.compression = directory.whole(259, 1)
        self.format = _SAMPLE_FORMATS.get(directory.whole(339, 1), "strange")
        self.depth = directory.whole(32997, 1)
        self.tile = directory.whole(322, 0), directory.whole(323, 0)
        self.inks = directory.whole(332, 1)
        self.extra = directory.wholes(338)
        over = self.samples - _COLOURS.get(self.photometric, self.samples)
        if not self.extra and over == 1:
            self.extra = (_ALPHA,)  # what programs that don't say it mean

    def check(self) -> None:
        """Whether it can be a photograph that is decoded within reason.

        Raises:
            PhotoError: it can't, as the end of a sentence.
        """
        if self.format != "whole" or self.bits > 16:
            raise PhotoError(unreadable(f"{self.bits}-bit {self.format} pixels"))
        if self.samples > _MOST_SAMPLES:
            raise PhotoError(unreadable(f"{self.samples} channels"))
        if self.depth > 1 or (self.photometric == _CMYK and (self.inks != 1 or self.samples < 4)):
            raise PhotoError(unreadable("pixels of a rare kind"))
        if max(self.tile) > 2 * max(*self.size, 1024):
            raise ValueError("tiles larger than the picture")


def pixels_of_page(file: bytes, page: Page, icc: bytes | None) -> Pixels:
    """Decodes a page.

    Args:
        file: a TIFF whose first directory is the page's, with the tags of its layout alone.
        page: what the directory says.
        icc: the profile of CMYK pixels.

    Raises:
        PhotoError: it is no photograph's or needs a library, as the end of a sentence.
    """
    page.check()
    if page.bits <= 8:
        try:
            image = opened(file, "TIFF")
        except UnidentifiedImageError:
            image = None  # a layout that Pillow doesn't know
        if image is not None:
            if image.size != page.size:
                raise ValueError("two sizes")
            decoded = pixels_of(image, icc)
            return replace(decoded, notes=_left_out(len(page.extra) - (decoded.channels.shape[2] in (2, 4))))
    if page.photometric not in _COLOURS:
        raise PhotoError(unreadable("pixels of a rare kind"))
    return _as_photo(_samples(file, page), page, icc)


def _samples(file: bytes, page: Page) -> np.ndarray:
    """All channels of a page as they are stored, (H, W, C) uint8 or uint16."""
    import tifffile  # only some TIFFs need it, and the command line should begin at once

    logging.getLogger("tifffile").addHandler(logging.NullHandler())  # what is wrong is told as an error
    with tifffile.TiffFile(BytesIO(file)) as opened_file:
        stored = opened_file.pages.first
        planes, depth, height, width, samples = stored.shaped
        if (width, height) != page.size or planes * samples != page.samples or depth != 1:
            raise ValueError("two sizes")
        if len(stored.dataoffsets) > _MOST_PIECES:
            raise ValueError("strips smaller than any program makes")
        try:
            values = _decoded(file, stored) if stored.compression in OF_BYTES else _by_imagecodecs(file, stored)
        except (ImportError, ValueError) as error:
            if isinstance(error, ImportError) or "imagecodecs" in str(error):
                raise PhotoError(missing("imagecodecs", "is a TIFF compressed in a way that")) from error
            raise
    values = values.reshape(stored.shaped)
    return np.moveaxis(values[:, 0], 0, 2).reshape(height, width, -1) if planes > 1 else values[0, 0]


def _by_imagecodecs(file: bytes, page: "TiffPage") -> np.ndarray:
    """Strips or tiles that only imagecodecs unpacks; a picture within them is no larger than they are."""
    if page.compression not in (_JPEG, _ZSTD, *_JPEG_2000):
        raise PhotoError(unreadable("pixels that are compressed in a rare way"))
    rows, columns = (page.tilelength, page.tilewidth) if page.is_tiled else (page.imagelength, page.imagewidth)
    for at, size in zip(page.dataoffsets, page.databytecounts, strict=True):
        for height, width in _sizes_within(file[at : at + size], page.compression):
            if height > rows or width > columns:
                raise ValueError("two sizes")
    return page.asarray(maxworkers=1)


def _sizes_within(piece: bytes, compression: int) -> list[tuple[int, int]]:
    """Heights and widths that a JPEG or JPEG 2000 tells in its own headers, wherever they might stand."""
    if compression in _JPEG_2000:
        return [(h, w) for w, h in (struct.unpack(">II", m[1]) for m in re.finditer(_SIZ, piece, re.DOTALL))]
    if compression == _JPEG:
        return [struct.unpack(">HH", m[1]) for m in re.finditer(_SOF, piece, re.DOTALL)]
    return []


def _decoded(file: bytes, page: "TiffPage") -> np.ndarray:
    """Strips or tiles unpacked within their size; tifffile makes of them what they are."""
    planes, _, height, width, samples = page.shaped
    tile = (page.tilelength, page.tilewidth) if page.is_tiled else (min(page.rowsperstrip, height), width)
    row_length, down = ceil(tile[1] * samples * page.bitspersample / 8), ceil(height / tile[0])
    compression, reverse = page.compression, page.fillorder == 2
    page.compression, page.fillorder = 1, 1  # what is done here
    values = np.empty(page.shaped, page.dtype)
    count = planes * down * ceil(width / tile[1])
    places = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    if len(places) < count or any(at + size > len(file) for at, size in places[:count]):
        raise ValueError("strips are missing")
    for index, (at, size) in enumerate(places[:count]):
        data = file[at : at + size]
        if reverse:
            data = np.packbits(np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")).tobytes()
        # The last strip is shorter, while tiles are all alike.
        rows = tile[0] if page.is_tiled else min(tile[0], height - index % down * tile[0])
        piece, (plane, _, y, x, _), _ = page.decode(unpacked(data, compression, rows * row_length), index)
        if piece is None:
            raise ValueError("strips are missing")
        target = values[plane, 0, y : y + piece.shape[1], x : x + piece.shape[2]]
        target[...] = piece[0, : target.shape[0], : target.shape[1]]
    return values


def _as_photo(samples: np.ndarray, page: Page, icc: bytes | None) -> Pixels:
    """Grey or RGB, with its alpha, of the channels as they are stored."""
    if page.bits not in (8, 16):
        samples = _stretched(samples, page.bits)
    peak = np.iinfo(samples.dtype).max
    many = _COLOURS[page.photometric]
    if samples.shape[2] < many:
        raise ValueError("channels are missing")
    colours, others = samples[..., :many], samples[..., many:]
    kinds = page.extra[: others.shape[2]]
    chosen = next((place for place, kind in enumerate(kinds) if kind in (_PREMULTIPLIED, _ALPHA)), None)
    alpha = None if chosen is None else others[..., chosen : chosen + 1]
    if page.photometric == _WHITE_IS_ZERO:
        colours = peak - colours
    if alpha is not None and kinds[chosen or 0] == _PREMULTIPLIED:
        colours = _unmultiplied(colours, alpha, peak)
    in_srgb = page.photometric in (_CMYK, _LAB, _ICC_LAB)
    if in_srgb:
        colours, alpha = (
            _in_srgb(eight_bit(colours), page.photometric, icc),
            None if alpha is None else eight_bit(alpha),
        )
    notes = _left_out(others.shape[2] - (alpha is not None))
    channels = colours if alpha is None else np.concatenate([colours, alpha], axis=2)
    return Pixels(channels, grey=many == 1, in_srgb=in_srgb, notes=notes)


def _left_out(channels: int) -> tuple[str, ...]:
    """One sentence on channels that are neither colours nor alpha, if there are any."""
    return ("An extra channel that is no transparency (infrared, a mask) was left out.",) if channels > 0 else ()


def _stretched(values: np.ndarray, bits: int) -> np.ndarray:
    """Values of an odd number of bits over the whole range of 8 or 16."""
    peak = 255 if bits < 8 else 65535
    wide = values.astype(np.uint32) * peak
    top = (1 << bits) - 1
    return ((wide + top // 2) // top).astype(np.uint8 if bits < 8 else np.uint16)


def _unmultiplied(colours: np.ndarray, alpha: np.ndarray, peak: int) -> np.ndarray:
    out = np.empty_like(colours)
    for start in range(0, len(colours), 256):  # a few rows at a time, which need less memory
        rows = slice(start, start + 256)
        shares = np.maximum(alpha[rows], 1).astype(np.uint64)
        out[rows] = np.minimum((colours[rows].astype(np.uint64) * peak + shares // 2) // shares, peak)
    return out


def _in_srgb(colours: np.ndarray, photometric: int, icc: bytes | None) -> np.ndarray:
    if photometric == _LAB:
        # a* and b* are signed there; Pillow wants them from 0 to 255.
        colours = np.concatenate([colours[..., :1], colours[..., 1:] ^ 0x80], axis=2)
    mode = "CMYK" if photometric == _CMYK else "LAB"
    image = Image.frombytes(mode, colours.shape[1::-1], np.ascontiguousarray(colours).tobytes())
    return np.asarray(rgb_image(image, icc))
