"""A photograph: the first and the last station of the way.

A `Photo` holds the pixels as the file has them: in its own colour space, in 8 or 16 bit, with its alpha.
Detectors and nets see an sRGB view of them; only what was restored is converted back. So every pixel that
nobody restored leaves as it came, bit for bit wherever the format is lossless.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from limner.errors import PhotoError
from limner.photo import icc
from limner.photo.contents import SUFFIXES, Contents
from limner.photo.in_memory import contents_of, image_of
from limner.photo.provenance import Provenance
from limner.photo.read import check_limit, read
from limner.photo.sixteen_bit import eight_bit
from limner.photo.write import write


@dataclass(frozen=True, eq=False)
class Photo(Contents):
    """A photograph, upright, in its own colour space.

    Attributes:
        pixels: (H, W, 3) uint8 or uint16; of a grey photo three equal channels.
        format: "JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF" or "BMP".
        alpha: (H, W) of the same dtype, or None. The colours under transparent pixels are kept.
        grey: the file has a single colour channel, and so will the saved one (WebP and AVIF always store
            three).
        icc: ICC profile of `pixels`; None means sRGB.
        exif: EXIF as TIFF bytes, its orientation set to upright and its thumbnail, which shows the unrestored
            photo, cut out.
        xmp: XMP packet in UTF-8, without claims of a video, gain map or depth map, which aren't kept.
        iptc: IPTC's records (caption, keywords), as JPEG and TIFF hold them.
        words: keywords and texts of a PNG, and as ("Comment", text) a JPEG's comments.
        dpi: horizontal and vertical resolution in dots per inch.
        png_colour: what a PNG says of its colours beside a profile (gAMA and others): names and bodies of chunks.
        jpeg: how coarsely a JPEG was stored; it is stored alike where no other quality is asked for.
        lossless: a WebP that was stored without loss, and will be again where no quality is asked for.
        path: the file that this was read from, which is never written to. Its permissions go along.
        notes: what could not be taken along in reading, one sentence each.

    Raises:
        PhotoError: pixels or alpha are of another shape or dtype, or there is no such format.
    """

    @classmethod
    def open(cls, path: str | os.PathLike[str], max_megapixels: float = 100.0) -> "Photo":
        """Read a photograph.

        Palettes become RGB, CMYK and L*a*b* become sRGB through the file's profile, an EXIF turn is
        applied. 16-bit grey and colour stay 16 bit in PNG and TIFF; 10- and 12-bit AVIF and HEIC are read as 8 bit.
        Of a phone's multi-picture JPEG the photo itself is read, of a TIFF with a preview the photo behind it.
        Metadata that is damaged is left out with a note, never a reason to refuse a photo. docs/photo-files.md has
        a table of formats, modes and what is kept.

        Args:
            path: any path, non-ASCII too.
            max_megapixels: the largest picture that is decoded, in millions of pixels.

        Raises:
            PhotoError: the file is missing, a folder, unreadable, empty, no picture, of another format, damaged or
                truncated, animated or of several pages, a camera's raw values, or larger than
                `max_megapixels`, or that is no number above 0; or it needs an extra of limner that isn't installed.
        """
        check_limit(max_megapixels)
        return cls(**vars(read(Path(path), max_megapixels)))

    @classmethod
    def of(cls, picture: "Picture", max_megapixels: float = 100.0) -> "Photo":
        """Make a photograph of whatever holds one.

        Args:
            picture: a photograph, which stays itself; a path, which is read as `open` does; a picture of Pillow's,
                whose profile, EXIF, XMP and resolution go along as its `info` has them, and whose EXIF turn is applied;
                or an array in sRGB: (H, W) or (H, W, 1) grey, (H, W, 3) RGB, (H, W, 4) RGB with alpha, in uint8, uint16
                or floats in [0, 1], which become 16 bit.
            max_megapixels: the largest file that is decoded, in millions of pixels.

        Raises:
            PhotoError: what `open` raises of a path; or the mode, shape, type or values are no photograph's.
        """
        if isinstance(picture, Photo):
            return picture
        if isinstance(picture, str | os.PathLike):
            return cls.open(picture, max_megapixels)
        if not isinstance(picture, Image.Image | np.ndarray):
            raise PhotoError(
                f"A photo can't be made of {type(picture).__name__}: give a path, a Photo, a picture of Pillow's or a "
                "NumPy array."
            )
        return cls(**vars(contents_of(picture)))

    def __post_init__(self) -> None:
        shape, kind = np.shape(self.pixels), getattr(self.pixels, "dtype", type(self.pixels).__name__)
        if len(shape) != 3 or shape[2] != 3 or 0 in shape or kind not in (np.uint8, np.uint16):
            raise PhotoError(
                f"A photo's pixels are (H, W, 3) in uint8 or uint16, not {shape} in {kind}: scale floats to 255 and "
                "round them, give a grey photo three equal channels."
            )
        if self.alpha is not None and (self.alpha.shape != shape[:2] or self.alpha.dtype != kind):
            raise PhotoError(
                f"The alpha of this photo is {shape[:2]} in {kind}, not {self.alpha.shape} in {self.alpha.dtype}."
            )
        if self.format not in SUFFIXES.values():
            known = ", ".join(dict.fromkeys(SUFFIXES.values()))
            raise PhotoError(f"There is no format '{self.format}' of photos: choose one of {known}.")

    def srgb(self) -> np.ndarray:
        """What detectors and nets see: (H, W, 3) uint8 in sRGB."""
        pixels = eight_bit(self.pixels)
        transform = icc.transform(self.icc, self.grey, True)
        return pixels if transform is None else icc.apply(transform, pixels)

    def image(self) -> Image.Image:
        """This photo as a picture of Pillow's: L, LA, RGB or RGBA of 8 bit in the photo's own colour space, whose
        profile, where there is one, is `info["icc_profile"]`."""
        return image_of(self)

    def to_srgb(self, native: np.ndarray) -> np.ndarray:
        """Convert a crop of this photo to sRGB.

        Args:
            native: (H, W, 3) float32 in [0, 1], in the photo's colour space (`pixels / peak`).

        Returns:
            (H, W, 3) float32 in [0, 1]. Exact where the photo is sRGB; through any other profile in steps
            of 1/255.
        """
        return icc.converted(native, icc.transform(self.icc, self.grey, True))

    def from_srgb(self, srgb: np.ndarray) -> np.ndarray:
        """Converts a restored crop back to this photo's colour space: the inverse of `to_srgb`. Blend the result in the
        photo's own depth.

        Args:
            srgb: (H, W, 3) float32 in [0, 1].

        Returns:
            (H, W, 3) float32 in [0, 1], as exact as `to_srgb` gives it.
        """
        return icc.converted(srgb, icc.transform(self.icc, self.grey, False))

    def replaced(self, pixels: np.ndarray) -> "Photo":
        """This photo with other pixels, all else as it is.

        Args:
            pixels: of the same shape and dtype as `pixels`.

        Raises:
            ValueError: the shape or the dtype differs.
        """
        if pixels.shape != self.pixels.shape or pixels.dtype != self.pixels.dtype:
            raise ValueError(
                f"the pixels are {pixels.shape} {pixels.dtype}, the photo is {self.pixels.shape} {self.pixels.dtype}"
            )
        return replace(self, pixels=pixels)

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        quality: int | None = None,
        provenance: Provenance | None = None,
    ) -> tuple[str, ...]:
        """Write the photo, whole or not at all.

        Profile, EXIF, XMP, IPTC, words and resolution go along wherever the format has a place for them (BMP:
        resolution only). 16 bit stays in PNG and TIFF and is rounded to 8 bit elsewhere.

        Args:
            path: its suffix gives the format; without a suffix it is the input's.
            quality: 1 to 100 for JPEG, WebP, AVIF and HEIC (WebP with 100 is lossless). JPEG and AVIF keep full
                colour resolution. The lossless formats ignore it. None is 95, but a JPEG is stored as coarsely as
                the JPEG that it was, in quantisation and subsampling, and a lossless WebP without loss.
            provenance: what to say of the restoration in the XMP; None adds nothing.

        Returns:
            What the format had no room for, one sentence each.

        Raises:
            PhotoError: the path is the photo's own, its suffix is unknown, the format can't hold the photo's
                transparency, or writing fails.
        """
        return write(self, Path(path), quality, provenance)


Picture = Photo | str | os.PathLike[str] | Image.Image | np.ndarray
"""Whatever `Photo.of` makes a photograph of."""
