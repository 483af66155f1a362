"""Kinds of pixels that become RGB or are refused, and bad input: one sentence each."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from limner.errors import PhotoError
from limner.photo import png
from limner.photo.photo import Photo
from limner.photo.tiff_write import encode_tiff

from .samples import encoded, random_pixels, smooth, wide_gamut, write


def test_palettes_bitmaps_and_colour_keys(tmp_path: Path) -> None:
    colours = Image.fromarray(smooth()).quantize(16)
    photo = Photo.open(write(tmp_path / "p.png", encoded(colours, "PNG")))
    assert (photo.pixels == np.asarray(colours.convert("RGB"))).all() and photo.alpha is None and not photo.grey

    photo = Photo.open(write(tmp_path / "pt.png", encoded(colours, "PNG", transparency=3)))
    assert photo.alpha is not None
    assert ((photo.alpha == 0) == (np.asarray(colours) == 3)).all()

    photo = Photo.open(write(tmp_path / "1.png", encoded(Image.fromarray(smooth()).convert("1"), "PNG")))
    assert photo.grey and set(np.unique(photo.pixels)) == {0, 255}

    keyed = smooth()
    keyed[:5] = (255, 0, 255)
    photo = Photo.open(write(tmp_path / "k.png", encoded(Image.fromarray(keyed), "PNG", transparency=(255, 0, 255))))
    assert photo.alpha is not None
    assert (photo.alpha[:5] == 0).all() and (photo.alpha[5:] == 255).all() and (photo.pixels == keyed).all()


def test_cmyk_becomes_srgb(tmp_path: Path) -> None:
    image = Image.fromarray(smooth()).convert("CMYK")
    photo = Photo.open(write(tmp_path / "a.jpg", encoded(image, "JPEG", quality=95)))
    assert np.abs(photo.pixels.astype(int) - smooth()).mean() < 3
    assert photo.icc is None
    # A profile for other pixels than CMYK is of no use, and must not be kept for the sRGB pixels.
    photo = Photo.open(write(tmp_path / "b.jpg", encoded(image, "JPEG", quality=95, icc_profile=wide_gamut())))
    assert np.abs(photo.pixels.astype(int) - smooth()).mean() < 3
    assert photo.icc is None


def test_lab_becomes_srgb(tmp_path: Path) -> None:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    image = ImageCms.profileToProfile(Image.fromarray(smooth()), srgb, lab, outputMode="LAB")
    assert image is not None
    photo = Photo.open(write(tmp_path / "a.tif", encoded(image, "TIFF")))
    assert np.abs(photo.pixels.astype(int) - smooth()).mean() < 3


@pytest.mark.parametrize(("mode", "name"), [("F", "float"), ("I", "signed")])
def test_float_and_32_bit_pixels_are_refused(tmp_path: Path, mode: str, name: str) -> None:
    path = write(tmp_path / "a.tif", encoded(Image.new(mode, (4, 4)), "TIFF"))
    with pytest.raises(PhotoError, match=rf"a\.tif holds 32-bit {name} pixels, .*: save it with 8 or 16 bit a chan"):
        Photo.open(path)


def refusal(path: Path, **options: float) -> str:
    with pytest.raises(PhotoError) as caught:
        Photo.open(path, **options)
    message = str(caught.value)
    assert message.startswith(str(path)) and message.endswith(".") and "\n" not in message
    return message.removeprefix(str(path)).strip()


def test_missing_folder_empty_and_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(tmp_path / "ä.jpg") == "does not exist: check the name."
    assert refusal(tmp_path) == "is a folder: name a photo in it."
    empty = write(tmp_path / "e.jpg", b"")
    assert refusal(empty) == "is empty (zero bytes): get the photo again from its source."

    def deny(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", deny)
    assert refusal(empty) == "can't be read (Permission denied): check its permissions."


@pytest.mark.parametrize(
    "content", [b"Dear all, here is the photo.\n", b"BMW and other cars", b"<html></html>", b"\0" * 99]
)
def test_text_named_jpg(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path / "a.jpg", content)
    assert refusal(path) == "is not a picture, whatever its name says: choose a photo."


def test_other_formats_are_named(tmp_path: Path) -> None:
    gif = write(tmp_path / "a.jpg", encoded(Image.fromarray(smooth()), "GIF"))
    assert refusal(gif) == "is a GIF file, which limner doesn't read: convert it to PNG or JPEG."
    jxl = write(tmp_path / "a.jxl", b"\xff\x0a" + bytes(100))
    assert refusal(jxl) == "is a JPEG XL file, which limner doesn't read: convert it to PNG or JPEG."
    raw = write(tmp_path / "a.cr3", b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(100))
    assert refusal(raw) == "holds a camera's raw values: develop it first, with the camera's program for instance."


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "BMP"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_truncated_files(tmp_path: Path, format: str, share: float) -> None:
    data = encoded(Image.fromarray(random_pixels(shape=(64, 64, 3))), format)
    path = write(tmp_path / "a", data[: max(20, int(share * len(data)))])
    assert refusal(path) == f"is a damaged or truncated {format}: get a whole copy of it."


@pytest.mark.filterwarnings("ignore:Truncated File Read")
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.9])
def test_truncated_tiff(tmp_path: Path, depth: type, share: float) -> None:
    data = encode_tiff(random_pixels(depth, (64, 64, 3)))
    path = write(tmp_path / "a.tif", data[: int(share * len(data))])
    assert refusal(path) in (
        "is a damaged or truncated TIFF: get a whole copy of it.",
        "is a TIFF that is damaged, truncated or of a rare kind: save it anew as PNG.",
    )


def test_truncated_16_bit_png(tmp_path: Path) -> None:
    data = png.sixteen_bit(random_pixels(np.uint16, (64, 64, 3)))
    path = write(tmp_path / "a.png", data[: len(data) // 2])
    assert refusal(path) == "is a damaged or truncated PNG: get a whole copy of it."


@pytest.mark.parametrize("format", ["PNG", "WEBP", "AVIF"])
def test_animated_files(tmp_path: Path, format: str) -> None:
    frames = [Image.fromarray(random_pixels(shape=(64, 64, 3)) // n) for n in (1, 2, 3)]
    path = write(tmp_path / "a", encoded(frames[0], format, save_all=True, append_images=frames[1:]))
    assert refusal(path) == "is animated (3 frames): extract one frame first."


def test_tiff_of_several_pages_but_not_its_preview(tmp_path: Path) -> None:
    pages = [Image.fromarray(smooth()), Image.fromarray(smooth(20, 28))]
    path = write(tmp_path / "a.tif", encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    assert refusal(path) == "has 2 pages: extract one page first."

    pages[1].encoderinfo = {"tiffinfo": {254: 1}}  # type: ignore[attr-defined]
    path = write(tmp_path / "b.tif", encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    assert (Photo.open(path).pixels == smooth()).all()


def test_the_second_picture_of_a_phone_jpeg_does_not_count(tmp_path: Path) -> None:
    pages = [Image.fromarray(smooth()), Image.fromarray(smooth(20, 28))]
    photo = Photo.open(write(tmp_path / "a.jpg", encoded(pages[0], "MPO", save_all=True, append_images=pages[1:])))
    assert photo.format == "JPEG" and photo.pixels.shape == (40, 56, 3)
    photo.save(tmp_path / "b.jpg")
    assert Photo.open(tmp_path / "b.jpg").format == "JPEG"


def bomb(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds nearly nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [10_001, 15_000, 60_000])  # the two larger ones pass Pillow's own limits
def test_decompression_bombs_are_refused_by_their_header(
    tmp_path: Path, side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(_: Image.Image) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(Image.Image, "load", decode)
    path = write(tmp_path / "a.png", bomb(side, side))
    assert refusal(path) == (
        f"claims {side}x{side} px, more than the limit of 100 megapixels: "
        "raise it with --max-megapixels if you trust the file."
    )


def test_the_limit_is_adjustable_and_pillows_own_stays(tmp_path: Path) -> None:
    before = Image.MAX_IMAGE_PIXELS
    path = write(tmp_path / "a.png", encoded(Image.fromarray(smooth(100, 100)), "PNG"))
    assert Photo.open(path, max_megapixels=0.01).pixels.shape == (100, 100, 3)
    assert "the limit of 0.0099 megapixels" in refusal(path, max_megapixels=0.0099)
    assert "truncated PNG" in refusal(write(path, bomb(15_000, 15_000)), max_megapixels=226)
    assert before == Image.MAX_IMAGE_PIXELS
