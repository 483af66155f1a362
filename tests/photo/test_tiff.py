"""TIFF: layouts, pages, and what is said in it."""

import os
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from limner.errors import PhotoError
from limner.photo.photo import Photo
from limner.photo.tiff_write import encode_tiff

from .samples import encoded, random_pixels, smooth, wide_gamut, write

SHAPE = (90, 70)


def tiff(path: Path, values: np.ndarray, **options: Any) -> Photo:
    tifffile.imwrite(path, values, metadata=None, **options)
    return Photo.open(path)


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "packbits", "lzma", "zstd"])
@pytest.mark.parametrize(("order", "big", "tile"), [("<", False, None), (">", False, (32, 48)), (">", True, None)])
def test_every_layout_gives_the_same_pixels(
    tmp_path: Path, depth: type, compression: str | None, order: str, big: bool, tile: tuple[int, int] | None
) -> None:
    options: dict[str, Any] = {"byteorder": order, "bigtiff": big, "tile": tile, "compression": compression}
    options["predictor"] = compression not in (None, "packbits")
    if tile is None:
        options["rowsperstrip"] = 17
    peak, path = np.iinfo(depth).max, tmp_path / "a.tif"
    colour = random_pixels(depth, (*SHAPE, 3))
    assert (tiff(path, colour, photometric="rgb", **options).pixels == colour).all()
    planes = np.moveaxis(colour, 2, 0).copy()
    assert (tiff(path, planes, photometric="rgb", planarconfig="separate", **options).pixels == colour).all()
    grey = tiff(path, colour[..., 0], photometric="minisblack", **options)
    assert grey.grey and (grey.pixels == colour[..., :1]).all()
    assert (tiff(path, peak - colour[..., 0], photometric="miniswhite", **options).pixels == colour[..., :1]).all()
    four = random_pixels(depth, (*SHAPE, 4))
    photo = tiff(path, four, photometric="rgb", extrasamples=["unassalpha"], **options)
    assert photo.alpha is not None and (photo.alpha == four[..., 3]).all() and (photo.pixels == four[..., :3]).all()


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_an_extra_channel_that_is_no_alpha_is_left_out(tmp_path: Path, depth: type) -> None:
    five = random_pixels(depth, (*SHAPE, 5))
    options: dict[str, Any] = {"photometric": "rgb", "planarconfig": "contig"}
    infrared = tiff(tmp_path / "a.tif", five[..., :4], extrasamples=["unspecified"], **options)
    assert infrared.alpha is None and (infrared.pixels == five[..., :3]).all()
    if depth is np.uint16:
        assert infrared.notes == ("An extra channel that is no transparency (infrared, a mask) was left out.",)
    both = tiff(tmp_path / "b.tif", five, extrasamples=["unspecified", "unassalpha"], **options)
    assert both.alpha is not None and (both.alpha == five[..., 4]).all() and (both.pixels == five[..., :3]).all()


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_premultiplied_alpha_darkens_nothing(tmp_path: Path, depth: type) -> None:
    peak = np.iinfo(depth).max
    colour = np.full((*SHAPE, 3), (peak, peak // 2, peak // 4), depth)
    alpha = np.full((*SHAPE, 1), peak // 2, depth)
    stored = np.concatenate([np.rint(colour * (alpha / peak)).astype(depth), alpha], axis=2)
    photo = tiff(tmp_path / "a.tif", stored, photometric="rgb", extrasamples=["assocalpha"])
    assert np.abs(photo.pixels.astype(int) - colour).max() <= 2 and photo.alpha is not None


def test_cmyk_and_odd_depths_of_16_bit_files(tmp_path: Path) -> None:
    cmyk = np.asarray(Image.fromarray(smooth()).convert("CMYK")).astype(np.uint16) * 257
    photo = tiff(tmp_path / "a.tif", cmyk, photometric="separated")
    assert photo.pixels.dtype == np.uint8 and np.abs(photo.pixels.astype(int) - smooth()).mean() < 3
    twelve = random_pixels(np.uint16, SHAPE) >> 4
    photo = tiff(tmp_path / "b.tif", twelve, photometric="minisblack", bitspersample=12)
    assert (photo.pixels[..., 0] == np.rint(twelve * (65535 / 4095))).all()


def test_without_imagecodecs_plain_compressions_are_read_and_others_named(tmp_path: Path) -> None:
    colour = random_pixels(np.uint16, (*SHAPE, 3))
    for name in ("lzw", "zlib", "packbits", "lzma", "zstd"):
        options: dict[str, Any] = {"compression": name, "predictor": name in ("lzw", "zlib"), "rowsperstrip": 17}
        tiff(tmp_path / f"{name}.tif", colour, photometric="rgb", **options)
    np.save(tmp_path / "colour.npy", colour)
    script = (
        "import sys; sys.modules['imagecodecs'] = None\n"
        "import numpy as np; from limner import Photo\n"
        "for name in ('lzw', 'zlib', 'packbits', 'lzma'):\n"
        "    assert (Photo.open(name + '.tif').pixels == np.load('colour.npy')).all(), name\n"
        "try: Photo.open('zstd.tif')\n"
        "except Exception as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    needs = "is a TIFF compressed in a way that needs imagecodecs: install it with pip install 'limner[tiff]'."
    assert done.stdout.strip() == f"zstd.tif {needs}"


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


@pytest.mark.parametrize("compression", ["zlib", "lzma"])
def test_a_strip_that_unpacks_to_more_than_its_size_takes_no_memory(tmp_path: Path, compression: str) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif", np.zeros((5000, 5000), np.uint16), photometric="minisblack", compression=compression,
        rowsperstrip=5000, metadata=None,
    )  # fmt: skip
    data = (tmp_path / "a.tif").read_bytes()
    for tag in (257, 278):
        for kind in (3, 4):
            data = data.replace(struct.pack("<HHII", tag, kind, 1, 5000), struct.pack("<HHII", tag, kind, 1, 8))
    script = (
        "import resource, sys; from limner import Photo; import tifffile; Photo.open(sys.argv[1] + '/b.tif')\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "assert Photo.open(sys.argv[1] + '/a.tif').pixels.shape == (8, 5000, 3)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    write(tmp_path / "a.tif", data)
    tiff(tmp_path / "b.tif", random_pixels(np.uint16), photometric="rgb", compression=compression)
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 20_000  # kB; all of the strip would be 50,000


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "LAB", "YCbCr", "I;16"])
def test_every_mode_that_pillow_writes(tmp_path: Path, mode: str) -> None:
    source = Image.fromarray(smooth())
    if mode == "I;16":
        image = Image.fromarray(random_pixels(np.uint16, (40, 56)))
    else:
        image = Image.new("LAB", (56, 40), (128, 128, 128)) if mode == "LAB" else source.convert(mode)
    photo = Photo.open(
        write(tmp_path / "a.tif", encoded(image, "TIFF", compression="jpeg" if mode == "YCbCr" else None))
    )
    assert photo.grey == (mode in ("1", "L", "LA", "I;16")) and (photo.alpha is not None) == mode.endswith("A")
    if mode not in ("LAB", "I;16"):
        wanted = np.asarray(image.convert("RGB"))
        assert np.abs(photo.pixels.astype(int) - wanted).max() <= (12 if mode in ("CMYK", "YCbCr") else 0)


def test_the_profile_of_a_16_bit_tiff_is_kept(tmp_path: Path) -> None:
    photo = tiff(tmp_path / "a.tif", random_pixels(np.uint16), photometric="rgb", iccprofile=wide_gamut())
    assert photo.icc == wide_gamut()


def test_a_picture_without_height_is_refused_whatever_its_width(tmp_path: Path) -> None:
    data = encode_tiff(random_pixels(np.uint16))
    flat = data.replace(struct.pack("<HHII", 257, 4, 1, 20), struct.pack("<HHII", 257, 4, 1, 0))
    flat = flat.replace(struct.pack("<HHII", 256, 4, 1, 30), struct.pack("<HHII", 256, 4, 1, 2**32 - 1))
    with pytest.raises(PhotoError, match="is a TIFF that is damaged"):
        Photo.open(write(tmp_path / "a.tif", flat))
