"""JPEG: whole ones that other programs show too, words, and how coarsely it is stored."""

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from limner.errors import PhotoError
from limner.photo.jpeg import with_words
from limner.photo.photo import Photo

from .samples import encoded, exif, random_pixels, smooth, write

IPTC = bytes([0x1C, 2, 120]) + struct.pack(">H", 12) + b"Wedding 1931"


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def with_segment(jpeg: bytes, marker: int, body: bytes) -> bytes:
    return jpeg[:2] + segment(marker, body) + jpeg[2:]


@pytest.mark.parametrize("progressive", [False, True])
def test_only_the_end_marker_may_be_missing(tmp_path: Path, progressive: bool) -> None:
    data = encoded(Image.fromarray(random_pixels(shape=(64, 64, 3))), "JPEG", quality=92, progressive=progressive)
    whole = Photo.open(write(tmp_path / "a.jpg", data))
    assert (Photo.open(write(tmp_path / "b.jpg", data[:-2])).pixels == whole.pixels).all()
    with pytest.raises(PhotoError, match=r"c\.jpg is a damaged or truncated JPEG: get a whole copy of it\.$"):
        Photo.open(write(tmp_path / "c.jpg", data[:-200]))


def test_what_stands_behind_the_end_is_no_matter(tmp_path: Path) -> None:
    data = encoded(Image.fromarray(smooth()), "JPEG")
    whole = Photo.open(write(tmp_path / "a.jpg", data))
    assert (Photo.open(write(tmp_path / "b.jpg", data + b"\0\0\0\x18ftypmp42" * 99)).pixels == whole.pixels).all()


def test_exif_longer_than_a_segment(tmp_path: Path) -> None:
    made = Image.Exif()
    made[270] = "hello"
    made.get_ifd(34665)[37500] = b"M" * 70_000
    made.get_ifd(34665)[36867] = "2000:01:02 03:04:05"
    raw = made.tobytes()
    data = with_segment(encoded(Image.fromarray(smooth()), "JPEG"), 0xE1, b"Exif\0\0" + raw[60_000:])
    photo = Photo.open(write(tmp_path / "a.jpg", with_segment(data, 0xE1, b"Exif\0\0" + raw[:60_000])))
    assert photo.exif is not None and len(photo.exif) > 70_000
    notes = photo.save(tmp_path / "b.jpg")
    assert notes == ("The EXIF is too long for a JPEG, so its maker note was left out.",)
    with Image.open(tmp_path / "b.jpg") as image:
        assert image.getexif()[270] == "hello" and image.getexif().get_ifd(34665)[36867] == "2000:01:02 03:04:05"
    assert photo.save(tmp_path / "c.png") == ()
    assert Photo.open(tmp_path / "c.png").exif == photo.exif


def test_exif_that_is_too_long_without_its_maker_note_is_left_out(tmp_path: Path) -> None:
    made = Image.Exif()
    made[270] = "x" * 70_000
    photo = Photo(smooth(), "PNG", exif=made.tobytes().removeprefix(b"Exif\0\0"))
    assert photo.save(tmp_path / "a.jpg") == ("The EXIF is too long for a JPEG and was left out.",)
    assert Photo.open(tmp_path / "a.jpg").exif is None


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("place", [6, 7, 8, 9, 10, 13, 14, 15, 20, 40])
def test_a_bad_byte_in_exif_never_refuses_a_photo(tmp_path: Path, format: str, place: int) -> None:
    good = exif()
    data = encoded(Image.fromarray(smooth()), format, exif=good)
    start = data.index(good[6:14])
    path = write(tmp_path / "a", data[: start + place - 6] + b"\xfa" + data[start + place - 5 :])
    if format == "PNG":  # whose checksum tells it
        assert Photo.open(path).notes
        return
    photo = Photo.open(path)
    assert photo.pixels.shape == (40, 56, 3)
    for suffix in (".jpg", ".png", ".webp", ".avif", ".tif"):
        photo.save(tmp_path / f"b{suffix}")


def test_caption_and_comment_are_kept(tmp_path: Path) -> None:
    jpeg, note = with_words(encoded(Image.fromarray(smooth()), "JPEG"), IPTC, (("Comment", "Großmutter"),))
    assert note is None
    photo = Photo.open(write(tmp_path / "a.jpg", jpeg))
    assert photo.iptc == IPTC and photo.words == (("Comment", "Großmutter"),)
    for suffix in (".jpg", ".png"):
        photo.save(tmp_path / f"b{suffix}")
        again = Photo.open(tmp_path / f"b{suffix}")
        assert again.iptc == IPTC and again.words == photo.words
    photo.save(tmp_path / "b.tif")
    assert Photo.open(tmp_path / "b.tif").iptc == IPTC
    with Image.open(tmp_path / "b.tif") as image:
        assert "Gro" in image.getexif()[270]
    assert with_words(jpeg, bytes(70_000), ())[1] == "A caption or comment is too long for a JPEG and was left out."


@pytest.mark.parametrize(("quality", "subsampling"), [(60, "4:2:0"), (85, "4:2:2"), (97, "4:4:4")])
def test_a_jpeg_is_stored_as_it_was_unless_a_quality_is_asked_for(
    tmp_path: Path, quality: int, subsampling: str
) -> None:
    source = encoded(Image.fromarray(smooth(64, 64)), "JPEG", quality=quality, subsampling=subsampling)
    photo = Photo.open(write(tmp_path / "a.jpg", source))
    photo.save(tmp_path / "b.jpg")
    photo.save(tmp_path / "c.jpg", quality=95)
    with Image.open(tmp_path / "a.jpg") as a, Image.open(tmp_path / "b.jpg") as b, Image.open(tmp_path / "c.jpg") as c:
        assert isinstance(a, JpegImagePlugin.JpegImageFile) and isinstance(b, JpegImagePlugin.JpegImageFile)
        assert isinstance(c, JpegImagePlugin.JpegImageFile)
        assert b.quantization == a.quantization != c.quantization
        assert JpegImagePlugin.get_sampling(b) == JpegImagePlugin.get_sampling(a)
        assert JpegImagePlugin.get_sampling(c) == 0


def test_the_picture_size_in_exif_and_xmp_is_the_present_one(tmp_path: Path) -> None:
    made = Image.Exif()
    made[274] = 6
    made.get_ifd(34665).update({40962: 56, 40963: 40})
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:PixelXDimension="56"'
        b' exif:PixelYDimension="40"/></rdf:RDF></x:xmpmeta>'
    )
    photo = Photo.open(write(tmp_path / "a.jpg", encoded(Image.fromarray(smooth()), "JPEG", exif=made, xmp=xmp)))
    photo.save(tmp_path / "b.jpg")
    with Image.open(tmp_path / "b.jpg") as image:
        assert image.size == (40, 56)
        inner = image.getexif().get_ifd(34665)
        assert (inner[40962], inner[40963]) == (40, 56)
        assert b'PixelXDimension="40" exif:PixelYDimension="56"' in image.info["xmp"]


def test_no_byte_of_the_unrestored_thumbnail_remains(tmp_path: Path) -> None:
    first = struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, 6, 0, 26)
    thumbnail = b"\xff\xd8THUMBNAIL\xff\xd9"
    second = struct.pack(">H", 2) + struct.pack(">HHIIHHII", 0x0201, 4, 1, 56, 0x0202, 4, 1, len(thumbnail)) + bytes(4)
    for behind in (b"", b"behind it"):
        raw = b"Exif\0\0MM\0\x2a\0\0\0\x08" + first + second + thumbnail + behind
        photo = Photo.open(write(tmp_path / "a.jpg", encoded(Image.fromarray(smooth()), "JPEG", exif=raw)))
        assert photo.exif is not None and b"THUMBNAIL" not in photo.exif and photo.exif.endswith(behind)


def test_the_profile_in_several_segments(tmp_path: Path) -> None:
    profile = np.random.default_rng(0).bytes(100_000)
    data = encoded(Image.fromarray(smooth()), "JPEG", icc_profile=profile)
    photo = Photo.open(write(tmp_path / "a.jpg", data))
    assert photo.icc is None and photo.notes == ("The colour profile is damaged or for other pixels and was left out.",)


GAIN_MAPS = [b"urn:iso:std:iso:ts:21496:-1\0", b"http://ns.adobe.com/hdr-gain-map/1.0/", b"aux:hdrgainmap"]


@pytest.mark.parametrize("says", GAIN_MAPS)
def test_a_gain_map_that_is_lost_is_told_once(tmp_path: Path, says: bytes) -> None:
    data = encoded(Image.fromarray(smooth()), "JPEG")
    gain_map = with_segment(encoded(Image.fromarray(smooth()[::2, ::2]), "JPEG"), 0xE2, says)
    photo = Photo.open(write(tmp_path / "a.jpg", data + gain_map))
    assert photo.notes == ("The gain map that came with the photo can't be kept: the result is an ordinary photo.",)
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"/></rdf:RDF>'
        b"</x:xmpmeta>"
    )
    data = encoded(Image.fromarray(smooth()), "JPEG", xmp=packet)
    (note,) = Photo.open(write(tmp_path / "b.jpg", data + gain_map)).notes
    assert note.startswith("The gain map that came with the photo can't be kept, and the XMP no longer")
    preview = encoded(Image.fromarray(smooth()[::2, ::2]), "JPEG")
    assert Photo.open(write(tmp_path / "c.jpg", encoded(Image.fromarray(smooth()), "JPEG") + preview)).notes == ()
