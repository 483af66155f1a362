"""The pixels of a TIFF, in every layout."""

import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from limner.photo.photo import Photo

from .samples import encoded, random_pixels, smooth, tiff, write

SHAPE = (90, 70)


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
    told = ("An extra channel that is no transparency (infrared, a mask) was left out.",)
    assert infrared.notes == told
    both = tiff(tmp_path / "b.tif", five, extrasamples=["unspecified", "unassalpha"], **options)
    assert both.alpha is not None and (both.alpha == five[..., 4]).all() and (both.pixels == five[..., :3]).all()
    assert both.notes == told
    inks = tiff(tmp_path / "c.tif", five, photometric="separated", extrasamples=["unspecified"])
    assert inks.alpha is None and inks.notes == told


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
    needs = "is a TIFF compressed in a way that needs imagecodecs: install it with `pip install 'limner[tiff]'`."
    assert done.stdout.strip() == f"zstd.tif {needs}"


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
