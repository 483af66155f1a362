"""Whole photos in every format and many modes, all made here: what the fuzzer damages."""

import struct
from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
import pillow_heif
import tifffile
from PIL import Image

from limner.photo.bmp import with_alpha
from limner.photo.exif import PREFIX
from limner.photo.iptc import resources
from limner.photo.png import about, sixteen_bit, with_chunks
from limner.photo.tiff_write import encode_tiff

from ..photo.samples import XMP, encoded, exif, random_pixels, smooth, wide_gamut

IPTC = b"\x1c\x02\x78\x00\x05Lunch\x1c\x02\x19\x00\x06family"
MOTION_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" GCamera:MotionPhoto="1"'
    b' xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:PixelXDimension="56"/></rdf:RDF></x:xmpmeta>'
)


def picture(mode: str) -> Image.Image:
    """A small picture in one of Pillow's modes."""
    rgb = Image.fromarray(smooth())
    if mode in ("LA", "RGBA"):
        rgb.putalpha(Image.fromarray(smooth(channels=1)[..., 0]))
    if mode == "I;16":
        return Image.fromarray(smooth(channels=1)[..., 0].astype(np.uint16) * 257)
    return rgb.convert(mode)


def jpeg(mode: str = "RGB", **options: Any) -> bytes:
    """A JPEG with all that may stand in one."""
    icc = wide_gamut() if mode == "RGB" else None
    file = encoded(picture(mode), "JPEG", exif=exif(6), xmp=XMP, icc_profile=icc, comment="at the lake", **options)
    photoshop = b"Photoshop 3.0\0" + resources(IPTC)
    return file[:2] + b"\xff\xed" + struct.pack(">H", len(photoshop) + 2) + photoshop + file[2:]


def png(mode: str, **options: Any) -> bytes:
    texts = [("Title", "a lake"), ("Autor", "Voigtländer")]
    chunks = [(b"gAMA", struct.pack(">I", 45455)), (b"tIME", bytes(7))]
    chunks += about(wide_gamut(), exif(3)[len(PREFIX) :], XMP, IPTC, texts, (300.0, 300.0))
    return with_chunks(encoded(picture(mode), "PNG", **options), chunks)


def tiff(values: np.ndarray, extratags: tuple = (), **options: Any) -> bytes:
    """A TIFF of tifffile's with a profile, XMP and IPTC."""
    tags = ((700, 1, len(XMP), XMP, True), (33723, 7, len(IPTC), IPTC, True), *extratags)
    file = BytesIO()
    options = {"iccprofile": wide_gamut(), "resolution": (300, 300), "metadata": None, "extratags": tags} | options
    tifffile.imwrite(file, values, **options)
    return file.getvalue()


def several_pages(**first: Any) -> bytes:
    """A TIFF of two pages, the first of which may be told to be a preview, with a third below the second."""
    file = BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(smooth(20, 28), metadata=None, photometric="rgb", **first)
        writer.write(smooth(), metadata=None, photometric="rgb", subifds=1)
        writer.write(smooth(80, 112), metadata=None, photometric="rgb", compression="zlib")
    return file.getvalue()


def pillow_tiff(mode: str, compression: str) -> bytes:
    icc = wide_gamut() if mode == "RGB" else None
    return encoded(picture(mode), "TIFF", compression=compression, icc_profile=icc, dpi=(300, 300), description="lake")


def heif(mode: str) -> bytes:
    file = BytesIO()
    pillow_heif.from_pillow(picture(mode)).save(file, quality=60, exif=exif(6), xmp=XMP)
    return file.getvalue()


def animated(format: str, mode: str = "RGB") -> bytes:
    return encoded(picture(mode), format, save_all=True, append_images=[picture(mode).rotate(90)])


def _in_webp(**options: Any) -> bytes:
    return encoded(picture("RGBA"), "WEBP", exif=exif(3), xmp=XMP, icc_profile=wide_gamut(), **options)


def _rgb16(channels: int = 3) -> np.ndarray:
    return random_pixels(np.uint16, (20, 30, channels))


SEEDS: dict[str, Callable[[], bytes]] = {
    "baseline.jpg": lambda: jpeg(quality=80),
    "progressive.jpg": lambda: jpeg(progressive=True, subsampling=0),
    "grey.jpg": lambda: jpeg("L"),
    "cmyk.jpg": lambda: jpeg("CMYK"),
    "restarts.jpg": lambda: jpeg(restart_marker_blocks=2),
    "motion.jpg": lambda: encoded(picture("RGB"), "JPEG", xmp=MOTION_XMP) + b"\0\0\0\x18ftypmp42" + bytes(500),
    "several.jpg": lambda: animated("MPO"),
    **{f"{mode.lower()}.png": lambda mode=mode: png(mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")},
    "transparent-palette.png": lambda: png("P", transparency=3),
    "sixteen.png": lambda: with_chunks(sixteen_bit(_rgb16()), about(None, exif()[6:], XMP, None, (), None)),
    "sixteen-alpha.png": lambda: sixteen_bit(_rgb16(4)),
    "animated.png": lambda: animated("PNG"),
    "lossy.webp": lambda: _in_webp(quality=70),
    "lossless.webp": lambda: _in_webp(lossless=True),
    "plain.webp": lambda: encoded(picture("RGB"), "WEBP"),
    "animated.webp": lambda: animated("WEBP"),
    "rgb.avif": lambda: encoded(picture("RGB"), "AVIF", exif=exif(6), xmp=XMP, icc_profile=wide_gamut(), speed=9),
    "alpha.avif": lambda: encoded(picture("RGBA"), "AVIF", exif=exif(), xmp=XMP, speed=9),
    "animated.avif": lambda: animated("AVIF"),
    "rgb.heic": lambda: heif("RGB"),
    "grey.heic": lambda: heif("L"),
    "alpha.heic": lambda: heif("RGBA"),
    **{
        f"{mode.lower()}-{compression}.tif": lambda mode=mode, compression=compression: pillow_tiff(mode, compression)
        for mode, compression in (
            ("1", "group4"), ("1", "packbits"), ("L", "tiff_lzw"), ("LA", "raw"), ("P", "tiff_adobe_deflate"),
            ("RGB", "jpeg"), ("RGB", "raw"), ("RGBA", "tiff_lzw"), ("CMYK", "raw"), ("LAB", "raw"), ("I;16", "raw"),
        )
    },
    "own.tif": lambda: encode_tiff(smooth(), icc=wide_gamut(), exif=exif(8)[len(PREFIX) :], xmp=XMP, iptc=IPTC),
    "sixteen.tif": lambda: tiff(_rgb16(), photometric="rgb"),
    "tiles.tif": lambda: tiff(_rgb16(), photometric="rgb", tile=(16, 16), compression="zlib", predictor=True),
    "tiles-of-8-bit.tif": lambda: tiff(smooth(), photometric="rgb", tile=(16, 16), compression="lzw"),
    "planes.tif": lambda: tiff(np.moveaxis(_rgb16(), 2, 0), photometric="rgb", planarconfig="separate"),
    "big-endian.tif": lambda: tiff(_rgb16(), photometric="rgb", byteorder=">", compression="packbits"),
    "big.tif": lambda: tiff(_rgb16(), photometric="rgb", bigtiff=True, compression="lzma"),
    "white-is-zero.tif": lambda: tiff(_rgb16(1)[..., 0], photometric="miniswhite", rowsperstrip=3, iccprofile=None),
    "zstd.tif": lambda: tiff(_rgb16(), photometric="rgb", compression="zstd"),
    "jpeg2000.tif": lambda: tiff(_rgb16(), photometric="rgb", compression="jpeg2000"),
    "infrared.tif": lambda: tiff(_rgb16(4), photometric="rgb", extrasamples=["unspecified"]),
    "float.tif": lambda: tiff(smooth().astype(np.float32), photometric="rgb"),
    "cmyk16.tif": lambda: tiff(_rgb16(4), photometric="separated"),
    "several.tif": lambda: several_pages(),
    "preview.tif": lambda: several_pages(subfiletype=1),
    **{f"{mode.lower()}.bmp": lambda mode=mode: encoded(picture(mode), "BMP", dpi=(300, 300)) for mode in "1LP"},
    "rgb.bmp": lambda: encoded(picture("RGB"), "BMP"),
    "alpha.bmp": lambda: with_alpha(np.asarray(picture("RGBA")), (300.0, 300.0)),
    "palette.gif": lambda: encoded(picture("P"), "GIF", transparency=1, comment=b"a lake"),
    "animated.gif": lambda: animated("GIF", "P"),
}  # fmt: skip
"""How to make each file, by its name."""


@cache
def seed(name: str) -> bytes:
    return SEEDS[name]()


def suffix(name: str) -> str:
    return name[name.rindex(".") :]


def is_still(name: str) -> bool:
    """Whether a seed is a single picture that limner reads."""
    return not name.startswith(("animated.", "several.tif", "float.")) and suffix(name) != ".gif"
