"""PNG: texts and colour, damaged chunks, and keys of transparency in 16 bit."""

import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from limner.photo.photo import Photo
from limner.photo.png import sixteen_bit, with_chunks

from .samples import XMP, encoded, random_pixels, smooth, wide_gamut, write


def test_texts_and_gamma_are_kept(tmp_path: Path) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Description", "Church, 1931")
    text.add_itxt("Title", "Großmutter 写真", zip=True)
    text.add_text("Packed", "x" * 5000, zip=True)
    text.add(b"gAMA", struct.pack(">I", 100_000))
    photo = Photo.open(write(tmp_path / "a.png", encoded(Image.fromarray(smooth()), "PNG", pnginfo=text)))
    assert dict(photo.words) == {"Description": "Church, 1931", "Title": "Großmutter 写真", "Packed": "x" * 5000}
    photo.save(tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as image:
        image.load()
        assert image.info["gamma"] == 1.0 and image.info["Title"] == "Großmutter 写真"
    photo.save(tmp_path / "c.jpg")
    assert ("Comment", "Description: Church, 1931") in Photo.open(tmp_path / "c.jpg").words


@pytest.mark.parametrize("channels", [1, 3])
def test_a_colour_key_in_16_bit(tmp_path: Path, channels: int) -> None:
    pixels = random_pixels(np.uint16, (20, 30, channels))
    data = with_chunks(sixteen_bit(pixels), [(b"tRNS", pixels[3, 4].astype(">u2").tobytes())])
    photo = Photo.open(write(tmp_path / "a.png", data))
    assert photo.alpha is not None and photo.alpha[3, 4] == 0 and (photo.alpha > 0).sum() == 599
    assert (photo.pixels == pixels).all()


@pytest.mark.parametrize(
    "chunk",
    [
        (b"iCCP", b"x\0\0" + zlib.compress(bytes(100_000_000), 9)),
        (b"iCCP", b"x\0\0no deflate"),
        (b"zTXt", b"x\0\0no deflate"),
        (b"iCCP", b"x\0\0" + zlib.compress(wide_gamut()[:16] + b"\xff\xfe\xfd\xfc" + wide_gamut()[20:])),
        (b"eXIf", b"II*\0\xff\xff\xff\xff"),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + b"<a>" * 3000 + b"</a>" * 3000),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0\xff\xfe<\0x\0"),
    ],
)
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_damaged_metadata_is_left_out_with_a_note(tmp_path: Path, chunk: tuple[bytes, bytes], depth: type) -> None:
    pixels = random_pixels(depth)
    plain = sixteen_bit(pixels) if depth is np.uint16 else encoded(Image.fromarray(pixels), "PNG")
    photo = Photo.open(write(tmp_path / "a.png", with_chunks(plain, [chunk])))
    assert (photo.pixels == pixels).all()
    assert photo.icc is None and photo.xmp is None and photo.exif is None
    assert len(photo.notes) == 1 and photo.notes[0].endswith("left out.")
    photo.save(tmp_path / "b.png")


def test_one_damaged_text_takes_no_other_along(tmp_path: Path) -> None:
    Photo(smooth(), "PNG", xmp=XMP, icc=wide_gamut(), words=(("Title", "a lake"),)).save(tmp_path / "a.png")
    data = with_chunks((tmp_path / "a.png").read_bytes(), [(b"zTXt", b"x\0\0no deflate")])
    photo = Photo.open(write(tmp_path / "b.png", data))
    assert photo.xmp == XMP and photo.icc == wide_gamut() and photo.words == (("Title", "a lake"),)
    assert photo.notes == ("A text or the colour profile of the PNG is damaged and was left out.",)


def test_all_texts_together_have_a_limit(tmp_path: Path) -> None:
    packed = zlib.compress(bytes(9_000_000))
    chunks = [(b"zTXt", b"%d\0\0" % number + packed) for number in range(3)]
    photo = Photo.open(write(tmp_path / "a.png", with_chunks(encoded(Image.fromarray(smooth()), "PNG"), chunks)))
    assert [key for key, _ in photo.words] == ["0"] and len(photo.notes) == 1


def test_a_chunk_that_claims_4_gigabytes_takes_no_memory(tmp_path: Path) -> None:
    data = sixteen_bit(random_pixels(np.uint16))
    end = data.index(b"IEND") - 4
    claims = data[:end] + struct.pack(">I4s", 2**32 - 20, b"zTXt") + bytes(20)
    started = time.perf_counter()
    assert (Photo.open(write(tmp_path / "a.png", claims)).pixels == random_pixels(np.uint16)).all()
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode(tmp_path: Path, mode: str) -> None:
    image = (
        Image.fromarray(random_pixels(np.uint16, (40, 56)))
        if mode == "I;16"
        else Image.fromarray(smooth(channels=4 if "A" in mode else 3)).convert(mode)
    )
    photo = Photo.open(write(tmp_path / "a.png", encoded(image, "PNG")))
    assert photo.grey == (mode in ("1", "L", "LA", "I;16")) and (photo.alpha is not None) == mode.endswith("A")
    wanted = np.asarray(image)[..., None] if mode == "I;16" else np.asarray(image.convert("RGB"))
    assert (photo.pixels == wanted).all()


def test_a_good_packet_beside_damage_is_kept(tmp_path: Path) -> None:
    Photo(smooth(), "PNG", xmp=XMP).save(tmp_path / "a.png")
    data = with_chunks((tmp_path / "a.png").read_bytes(), [(b"eXIf", b"II*\0\xff\xff\xff\xff")])
    photo = Photo.open(write(tmp_path / "b.png", data))
    assert photo.xmp == XMP and photo.notes == ("The EXIF is damaged and was left out.",)
