"""What a file says beside its pixels: the turn, EXIF, thumbnail and resolution."""

import struct
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from limner.photo import png
from limner.photo.exif import taken_of
from limner.photo.photo import Photo
from limner.photo.tiff_write import encode_tiff

from .samples import MADE, XMP, assert_exif, encoded, exif, random_pixels, smooth, write


@pytest.mark.parametrize("source", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".avif", ".tif"])
def test_exif_goes_from_each_format_to_each(tmp_path: Path, source: str, suffix: str) -> None:
    Photo(smooth(), source, exif=exif().removeprefix(b"Exif\0\0"), xmp=XMP).save(tmp_path / "in")
    photo = Photo.open(tmp_path / "in")
    assert photo.format == source
    assert_exif(photo.exif)
    photo.save(tmp_path / f"out{suffix}", provenance=MADE)
    again = Photo.open(tmp_path / f"out{suffix}")
    assert_exif(again.exif)
    assert again.xmp is not None and b'tiff:Artist="Nadar"' in again.xmp


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_the_exif_turn_is_applied(tmp_path: Path, format: str, orientation: int) -> None:
    image = Image.fromarray(smooth(24, 40))
    options: dict[str, Any] = {"exif": exif(orientation)}
    if format == "WEBP":
        options["lossless"] = True
    if format == "TIFF":
        options = {"tiffinfo": {274: orientation}}
    data = encoded(image, format, dpi=(300, 150), **options)
    expected = ImageOps.exif_transpose(Image.open(BytesIO(data)))
    photo = Photo.open(write(tmp_path / "a", data))
    assert photo.pixels.shape == ((40, 24, 3) if orientation >= 5 else (24, 40, 3))
    assert (photo.pixels == np.asarray(expected)).all()
    if format != "WEBP":
        assert photo.dpi == pytest.approx((150, 300) if orientation >= 5 else (300, 150), abs=0.1)
    # Not a second time when it is read again.
    photo.save(tmp_path / "b.png")
    assert (Photo.open(tmp_path / "b.png").pixels == photo.pixels).all()
    if format != "TIFF":
        assert_exif(Photo.open(tmp_path / "b.png").exif)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_the_exif_turn_of_16_bit_files(tmp_path: Path, format: str, orientation: int) -> None:
    pixels = random_pixels(np.uint16)
    if format == "PNG":
        turn = (b"eXIf", exif(orientation).removeprefix(b"Exif\0\0"))
        data = png.with_chunks(png.sixteen_bit(pixels), [turn])
    else:
        data = encode_tiff(pixels)
        # NewSubfileType, the first tag and needless here, becomes Orientation; its place in the order is no matter.
        at = data.index(struct.pack("<HHI", 254, 4, 1))
        data = data[:at] + struct.pack("<HHIHH", 274, 3, 1, orientation, 0) + data[at + 12 :]
    photo = Photo.open(write(tmp_path / "a", data))
    low = ImageOps.exif_transpose(encoded_orientation((pixels >> 8).astype(np.uint8), orientation))
    assert (photo.pixels >> 8 == np.asarray(low)).all()
    photo.save(tmp_path / "b.png")
    assert (Photo.open(tmp_path / "b.png").pixels == photo.pixels).all()


def test_a_turn_that_only_xmp_tells_of_is_applied_once(tmp_path: Path) -> None:
    Photo(smooth(24, 40), "PNG", xmp=XMP.replace(b'Orientation="1"', b'Orientation="6"')).save(tmp_path / "a.png")
    photo = Photo.open(tmp_path / "a.png")
    assert (photo.pixels == np.rot90(smooth(24, 40), -1)).all()
    assert photo.xmp == XMP
    photo.save(tmp_path / "b.png")
    assert (Photo.open(tmp_path / "b.png").pixels == photo.pixels).all()


def encoded_orientation(pixels: np.ndarray, orientation: int) -> Image.Image:
    return Image.open(BytesIO(encoded(Image.fromarray(pixels), "PNG", exif=exif(orientation))))


def test_a_thumbnail_of_the_unrestored_photo_is_unlinked(tmp_path: Path) -> None:
    first = struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, 6, 0, 26)  # Orientation 6; second directory at 26
    second = struct.pack(">HHHII", 1, 0x0201, 4, 1, 44) + bytes(4)
    raw = b"MM\0\x2a\0\0\0\x08" + first + second
    path = write(tmp_path / "a.jpg", encoded(Image.fromarray(smooth()), "JPEG", exif=b"Exif\0\0" + raw))
    with Image.open(path) as image:
        assert 0x0201 in image.getexif().get_ifd(-1)  # the test's own premise
    photo = Photo.open(path)
    assert photo.exif is not None
    read = Image.Exif()
    read.load(photo.exif)
    assert not read.get_ifd(-1) and read[0x0112] == 1


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("damaged", [b"Exif\0\0II*\0", b"Exif\0\0MM\0*\0\0\xff\xff", b"Exif\0\0garbage of some length"])
def test_damaged_exif_is_no_reason_to_refuse_a_photo(tmp_path: Path, damaged: bytes) -> None:
    path = write(tmp_path / "a.jpg", encoded(Image.fromarray(smooth()), "JPEG", exif=damaged))
    photo = Photo.open(path)
    assert photo.exif is None
    photo.save(tmp_path / "b.tif")


def test_a_resolution_without_sense_is_dropped(tmp_path: Path) -> None:
    data = bytearray(encoded(Image.fromarray(smooth()), "JPEG", dpi=(300, 300)))
    at = data.index(b"JFIF\0") + 8
    data[at : at + 4] = bytes(4)
    assert Photo.open(write(tmp_path / "a.jpg", bytes(data))).dpi is None


def test_the_day_on_which_a_photo_was_taken():
    def told(text: str | None) -> str | None:
        exif = Image.Exif()
        exif[306] = "2020:01:01 00:00:00"  # when the scanner wrote the file
        if text:
            exif.get_ifd(34665)[36867] = text
        return taken_of(exif.tobytes().removeprefix(b"Exif\0\0"))

    assert told("1962:05:17 12:00:00") == "1962-05-17"
    assert told(None) is None and told("0000:00:00 00:00:00") is None and told("    :  :     :  :  ") is None
    assert taken_of(b"no EXIF at all") is None
