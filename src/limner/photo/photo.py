"""Photographs in and out of files: the first and the last station of the way.

A `Photo` holds the pixels as the file has them: in its own colour space, in 8 or 16 bit, with its alpha.
Detectors and nets see an sRGB view of them; only what was restored is converted back. So every pixel that
nobody restored leaves as it came, bit for bit wherever the format is lossless.
"""

import os
import re
import secrets
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, PngImagePlugin

from limner.errors import PhotoError
from limner.photo import icc as profiles
from limner.photo import sixteen_bit
from limner.photo.exif import dpi_of, exif_of, orientation_of, upright
from limner.photo.provenance import Provenance, packet_of

SUFFIXES = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".avif": "AVIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
}
_READABLE = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP")
_WITHOUT_ALPHA = ("JPEG", "BMP")
_JPEG_XMP_LIMIT = 65_502  # bytes in one APP1 segment
_QUALITY = 95

# Pillow's own limit is one number for the whole process; ours is an argument, so Pillow's is lifted while a
# header is read, by one thread at a time.
_PILLOW_LIMIT = threading.Lock()


@dataclass(frozen=True, eq=False)
class Photo:
    """A photograph, upright, in its own colour space.

    Attributes:
        pixels: (H, W, 3) uint8 or uint16; of a grey photo three equal channels.
        format: "JPEG", "PNG", "WEBP", "AVIF", "TIFF" or "BMP".
        alpha: (H, W) of the same dtype, or None. The colours under transparent pixels are kept.
        grey: the file has a single colour channel, and so will the saved one (WebP and AVIF always store
            three).
        icc: ICC profile of `pixels`; None means sRGB.
        exif: EXIF as TIFF bytes, its orientation set to upright and its thumbnail, which shows the unrestored
            photo, unlinked.
        xmp: XMP packet in UTF-8.
        dpi: horizontal and vertical resolution.
        path: the file that this was read from, which is never written to.
    """

    pixels: np.ndarray
    format: str
    alpha: np.ndarray | None = None
    grey: bool = False
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    path: Path | None = None

    @classmethod
    def open(cls, path: str | os.PathLike[str], max_megapixels: float = 100.0) -> "Photo":
        """Read a photograph.

        Palettes become RGB, CMYK and L*a*b* become sRGB through the file's profile, an EXIF turn is
        applied. 16-bit grey and colour stay 16 bit in PNG and TIFF; 10- and 12-bit AVIF is read as 8 bit.
        Of a phone's multi-picture JPEG the photo itself is read.

        Args:
            path: any path, non-ASCII too.
            max_megapixels: the largest picture that is decoded, in millions of pixels.

        Raises:
            PhotoError: the file is missing, a folder, unreadable, empty, no picture, of another format,
            damaged or
                truncated, animated or of several pages, or larger than `max_megapixels`.
        """
        path = Path(path)
        try:
            if path.is_dir():
                raise PhotoError(f"{path} is a folder: name a photo in it.")
            with path.open("rb") as file:
                return _read(file, path, max_megapixels)
        except FileNotFoundError as error:
            raise PhotoError(f"{path} does not exist: check the name.") from error
        except OSError as error:
            raise PhotoError(f"{path} can't be read ({error.strerror or error}): check its permissions.") from error

    @property
    def peak(self) -> int:
        """The value of white: 255, or 65535 in a 16-bit photo."""
        return int(np.iinfo(self.pixels.dtype).max)

    def srgb(self) -> np.ndarray:
        """What detectors and nets see: (H, W, 3) uint8 in sRGB."""
        pixels = _eight_bit(self.pixels)
        transform = profiles.transform(self.icc, self.grey, True)
        return pixels if transform is None else profiles.apply(transform, pixels)

    def to_srgb(self, native: np.ndarray) -> np.ndarray:
        """Convert a crop of this photo to sRGB.

        Args:
            native: (H, W, 3) float32 in [0, 1], in the photo's colour space (`pixels / peak`).

        Returns:
            (H, W, 3) float32 in [0, 1]. Exact where the photo is sRGB; through any other profile in steps
            of 1/255.
        """
        return profiles.converted(native, profiles.transform(self.icc, self.grey, True))

    def from_srgb(self, srgb: np.ndarray) -> np.ndarray:
        """Convert a restored crop back to this photo's colour space: the inverse of `to_srgb`, with its
        shapes,
        ranges and precision. Blend the result in the photo's own depth."""
        return profiles.converted(srgb, profiles.transform(self.icc, self.grey, False))

    def replaced(self, pixels: np.ndarray) -> "Photo":
        """This photo with other pixels, of the same shape and dtype.

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
    ) -> None:
        """Write the photo, whole or not at all.

        Profile, EXIF, XMP and resolution go along wherever the format has a place for them (BMP: resolution
        only). 16 bit stays in PNG and TIFF and is rounded to 8 bit elsewhere.

        Args:
            path: its suffix gives the format; without a suffix it is the input's.
            quality: 1 to 100 for JPEG, WebP and AVIF (default 95; WebP with 100 is lossless). JPEG and AVIF
                keep full colour resolution. The lossless formats ignore it.
            provenance: what to say of the restoration in the XMP; None adds nothing.

        Raises:
            PhotoError: the path is the photo's own, its suffix is unknown, the format can't hold the photo's
                transparency, or writing fails.
        """
        path = Path(path)
        format = self.format if not path.suffix else SUFFIXES.get(path.suffix.lower())
        if format is None:
            raise PhotoError(f"{path} can't be written: limner writes .jpg, .png, .webp, .avif, .tif and .bmp.")
        if self.path is not None and _same_file(path, self.path):
            raise PhotoError(f"{path} is the input itself, which limner never changes: choose another output.")
        if quality is not None and not 1 <= quality <= 100:
            raise PhotoError(f"{path} can't be written with quality {quality}: choose 1 to 100.")
        alpha = self.alpha
        if alpha is not None and format in _WITHOUT_ALPHA:
            if (alpha != self.peak).any():
                raise PhotoError(
                    f"{path} can't be written: the photo has transparent parts and {format} holds none, "
                    "so choose .png, .webp, .avif or .tif."
                )
            alpha = None
        xmp = provenance.merged(self.xmp) if provenance else self.xmp
        if xmp and format == "JPEG" and len(xmp) > _JPEG_XMP_LIMIT:
            xmp = provenance.xmp().encode() if provenance else None
        try:
            data = _encode(replace(self, format=format, alpha=alpha, xmp=xmp), quality or _QUALITY)
        except (OSError, ValueError, RuntimeError, struct.error) as error:
            raise PhotoError(f"{path} can't be written as {format} ({error}): choose another format.") from error
        write_atomically(path, data)


def save_png(path: Path, picture: np.ndarray) -> None:
    """Writes a plain picture, (H, W, 3) uint8 RGB, as PNG; for what is no photograph of the user's.

    Raises:
        PhotoError: the folder is missing or can't be written to.
    """
    data = BytesIO()
    Image.fromarray(picture).save(data, "PNG")
    write_atomically(path, data.getvalue())


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file through a temporary one beside it, so that `path` is never seen half written.

    Raises:
        PhotoError: the folder is missing or can't be written to.
    """
    # A short name of its own: a suffix to a long name could pass the file system's limit.
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        try:
            with part.open("xb") as file:
                file.write(data)
            os.replace(part, path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise PhotoError(f"{path} can't be written ({error.strerror or error}): check the folder.") from error


# ---- reading ----


def _read(file: BinaryIO, path: Path, max_megapixels: float) -> Photo:
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
    return Photo(
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
    if image.format != "TIFF" or frames == 1:
        return frames
    pages = 0
    for i in range(frames):
        image.seek(i)
        pages += not _tag(image, 254, 0) & 0b101  # NewSubfileType: reduced, mask
    image.seek(0)
    return max(pages, 1)


def _tag(image: Image.Image, tag: int, default: int) -> int:
    """The first value of a TIFF tag."""
    value = image.tag_v2.get(tag, default)  # type: ignore[attr-defined]
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
    deep = (image.format == "PNG" and head[24] == 16) or (image.format == "TIFF" and _tag(image, 258, 1) == 16)
    if not deep or image.mode not in ("RGB", "RGBA", "RGBX", "LA"):
        return None
    file.seek(0)
    channels = sixteen_bit.decode(file.read())
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
        return np.asarray(profiles.rgb_image(image, icc)), False, None
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


# ---- writing ----


def _eight_bit(values: np.ndarray) -> np.ndarray:
    return values if values.dtype == np.uint8 else ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)


def _same_file(a: Path, b: Path) -> bool:
    try:
        return a.samefile(b)
    except OSError:
        return False


def _encode(photo: Photo, quality: int) -> bytes:
    colours = photo.pixels
    if photo.grey:
        equal = (colours == colours[..., :1]).all()
        colours = colours[..., :1] if equal else np.rint(colours @ np.array([0.299, 0.587, 0.114]))[..., None]
    channels = [colours.astype(photo.pixels.dtype)] + ([] if photo.alpha is None else [photo.alpha[..., None]])
    array = np.concatenate(channels, axis=2)
    about = {"icc": photo.icc, "exif": photo.exif, "xmp": photo.xmp, "dpi": photo.dpi}
    if photo.format == "TIFF":
        # TIFF with 16-bit grey and alpha is read by hardly any program, ours included.
        if array.shape[2] == 2 and array.dtype == np.uint16:
            array = array[..., [0, 0, 0, 1]]
        return sixteen_bit.encode_tiff(array, **about)
    if photo.format == "PNG" and array.dtype == np.uint16:
        return sixteen_bit.encode_png(array, **about)

    options: dict[str, object] = {"icc_profile": photo.icc} if photo.icc else {}
    if photo.exif:
        options["exif"] = b"Exif\0\0" + photo.exif
    if photo.dpi:
        options["dpi"] = photo.dpi
    if photo.format == "PNG" and photo.xmp:
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", photo.xmp.decode("utf-8", "replace"))
        options["pnginfo"] = text
    elif photo.xmp:
        options["xmp"] = photo.xmp
    if photo.format == "JPEG":
        options |= {"quality": quality, "subsampling": "4:4:4", "optimize": True}
    elif photo.format == "WEBP":
        # exact: colours under transparent pixels are kept.
        options |= {"quality": quality, "lossless": quality == 100, "exact": True}
    elif photo.format == "AVIF":
        options |= {"quality": quality, "subsampling": "4:4:4"}
    image = Image.fromarray(_eight_bit(array).squeeze(2) if array.shape[2] == 1 else _eight_bit(array))
    file = BytesIO()
    image.save(file, photo.format, **options)
    return file.getvalue()
