"""TIFF: layouts, pages, and what is said in it."""

import struct
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from limner.errors import PhotoError
from limner.photo.photo import Photo
from limner.photo.tiff_write import encode_tiff

from .samples import random_pixels, smooth, tiff, wide_gamut, write


def test_the_photo_behind_a_preview_is_read(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(smooth(20, 28), photometric="rgb", subfiletype=1, metadata=None)
        file.write(smooth(), photometric="rgb", subfiletype=0, metadata=None)
    assert (Photo.open(tmp_path / "a.tif").pixels == smooth()).all()
    with tifffile.TiffWriter(tmp_path / "b.tif") as file:
        file.write(smooth(20, 28), photometric="rgb", subfiletype=1, subifds=1, metadata=None)
        file.write(random_pixels(np.uint16), photometric="rgb", subfiletype=0, metadata=None)
    assert (Photo.open(tmp_path / "b.tif").pixels == random_pixels(np.uint16)).all()


def test_a_raw_file_is_refused_by_name(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.dng") as file:
        file.write(smooth(20, 28), photometric="rgb", subfiletype=1, subifds=1, metadata=None)
        sensor = random_pixels(np.uint16, (40, 56))
        pattern = [(33421, 3, 2, (2, 2), True), (33422, 1, 4, (0, 1, 1, 2), True)]
        file.write(sensor, photometric=32803, subfiletype=0, metadata=None, extratags=pattern)
    with pytest.raises(PhotoError, match=r"a\.dng holds a camera's raw values: develop it first, .*\.$"):
        Photo.open(tmp_path / "a.dng")


def test_words_of_a_tiff_are_kept(tmp_path: Path) -> None:
    words = bytes([0x1C, 2, 120]) + struct.pack(">H", 12) + b"Wedding 1931"
    words += bytes(-len(words) % 4)
    longs = tuple(int(v) for v in np.frombuffer(words, "<u4"))
    tags = [(33723, 4, len(longs), longs, True), (40091, 1, 10, "Title".encode("utf-16le"), True)]
    tags += [(285, 2, None, "Album p 3", True), (18246, 3, 1, 4, True), (40094, 1, 6, "a;b".encode("utf-16le"), True)]
    photo = tiff(tmp_path / "a.tif", smooth(), photometric="rgb", byteorder="<", extratags=tags)
    assert photo.iptc == words.rstrip(b"\0") and photo.dpi is None
    photo.save(tmp_path / "b.tif")
    with tifffile.TiffFile(tmp_path / "b.tif") as file:
        found = file.pages.first.tags
        assert found.valueof(33723) == words.rstrip(b"\0")
        assert found.valueof(40091).decode("utf-16le") == "Title" and found.valueof(40094).decode("utf-16le") == "a;b"
        assert found.valueof(285) == "Album p 3" and found.valueof(18246) == 4
    photo.save(tmp_path / "c.jpg")
    with Image.open(tmp_path / "c.jpg") as image:
        assert image.getexif()[18246] == 4 and image.info["jfif_unit"] == 0
    assert Photo.open(tmp_path / "c.jpg").iptc == photo.iptc


@pytest.mark.parametrize("value", [(34675, 2, None, "no profile", True), (34675, 4, 2, (7, 8), True)])
@pytest.mark.parametrize("xmp", [(700, 4, 2, (1, 2), True), (700, 1, 4, b"\xff<x>", True)])
def test_odd_metadata_is_left_out_with_a_note(tmp_path: Path, value: tuple, xmp: tuple) -> None:
    photo = tiff(tmp_path / "a.tif", smooth(), photometric="rgb", extratags=[value, xmp])
    assert (photo.pixels == smooth()).all() and photo.icc is None and photo.xmp is None
    assert len(photo.notes) == 2 and all(note.endswith("left out.") for note in photo.notes)
    photo.save(tmp_path / "b.tif")


def entry(tag: int, value: int) -> bytes:
    return struct.pack("<HHII", tag, 4, 1, value)


def test_a_length_that_stands_twice_passes_no_limit(tmp_path: Path) -> None:
    data = encode_tiff(random_pixels(np.uint16))
    (count,) = struct.unpack_from("<H", data, 8)
    entries = [data[10 + 12 * n : 22 + 12 * n] for n in range(count)]
    for twice in ([*entries[:3], entry(257, 2**24), *entries[3:]], [*entries[:2], entry(257, 2**24), *entries[2:]]):
        added = data + struct.pack("<H", count + 1) + b"".join(twice) + bytes(4)
        path = write(tmp_path / "a.tif", added[:4] + struct.pack("<I", len(data)) + added[8:])
        if twice[2] == entries[2]:  # the first counts, for the limit and for the decoder
            assert (Photo.open(path).pixels == random_pixels(np.uint16)).all()
        else:
            with pytest.raises(PhotoError, match="claims 30x16777216 px, more than the limit of 100 megapixels"):
                Photo.open(path)


def test_fifty_thousand_directories_are_refused_at_once(tmp_path: Path) -> None:
    size = 2 + 12 * 2 + 4
    pages = [
        struct.pack("<H", 2) + entry(256, 8) + entry(257, 8) + struct.pack("<I", 8 + size * (n + 1))
        for n in range(50_000)
    ]
    path = write(tmp_path / "a.tif", b"II\x2a\0\x08\0\0\0" + b"".join(pages))
    started = time.perf_counter()
    with pytest.raises(PhotoError, match=r"has more than 1000 pages: extract one page first\.$"):
        Photo.open(path)
    assert time.perf_counter() - started < 2


def test_the_profile_of_a_16_bit_tiff_is_kept(tmp_path: Path) -> None:
    photo = tiff(tmp_path / "a.tif", random_pixels(np.uint16), photometric="rgb", iccprofile=wide_gamut())
    assert photo.icc == wide_gamut()


def test_a_picture_without_height_is_refused_whatever_its_width(tmp_path: Path) -> None:
    data = encode_tiff(random_pixels(np.uint16))
    flat = data.replace(struct.pack("<HHII", 257, 4, 1, 20), struct.pack("<HHII", 257, 4, 1, 0))
    flat = flat.replace(struct.pack("<HHII", 256, 4, 1, 30), struct.pack("<HHII", 256, 4, 1, 2**32 - 1))
    with pytest.raises(PhotoError, match="is a TIFF that is damaged"):
        Photo.open(write(tmp_path / "a.tif", flat))
