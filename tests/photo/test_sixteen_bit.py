"""16 bits a channel: kept, read from and by other programs, rounded where there is no room."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from limner.errors import PhotoError
from limner.photo.photo import Photo

from .samples import XMP, assert_exif, exif, random_pixels, wide_gamut, write


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("kind", ["grey", "rgb", "rgba"])
def test_16_bit_is_kept(tmp_path: Path, suffix: str, kind: str) -> None:
    pixels = random_pixels(np.uint16)
    if kind == "grey":
        pixels = np.repeat(pixels[..., :1], 3, axis=2)
    alpha = random_pixels(np.uint16, (20, 30)) if kind == "rgba" else None
    photo = Photo(pixels, "PNG", alpha, grey=kind == "grey", icc=wide_gamut(), dpi=(300, 300))
    photo = replace(photo, exif=exif().removeprefix(b"Exif\0\0"), xmp=XMP)
    photo.save(tmp_path / f"a{suffix}")
    again = Photo.open(tmp_path / f"a{suffix}")
    assert again.pixels.dtype == np.uint16 and again.peak == 65535
    assert (again.pixels == pixels).all() and again.grey == photo.grey
    assert (again.alpha is None) if alpha is None else (again.alpha == alpha).all()
    assert again.icc == photo.icc
    assert again.dpi == pytest.approx((300, 300), abs=0.1)
    assert again.xmp == XMP
    assert_exif(again.exif)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [3, 4])
def test_16_bit_files_of_other_programs(tmp_path: Path, suffix: str, channels: int) -> None:
    stored = random_pixels(np.uint16, (20, 30, 4))[..., :channels]
    path = write(tmp_path / f"a{suffix}", cv2.imencode(suffix, stored)[1].tobytes())
    photo = Photo.open(path)
    assert (photo.pixels == stored[..., 2::-1]).all()
    assert (photo.alpha is None) == (channels == 3)
    assert photo.alpha is None or (photo.alpha == stored[..., 3]).all()


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_our_16_bit_files_are_read_by_other_programs(tmp_path: Path, suffix: str) -> None:
    pixels = random_pixels(np.uint16)
    Photo(pixels, "PNG").save(tmp_path / f"a{suffix}")
    stored = np.frombuffer((tmp_path / f"a{suffix}").read_bytes(), np.uint8)
    assert (cv2.imdecode(stored, cv2.IMREAD_UNCHANGED) == pixels[..., ::-1]).all()
    with Image.open(tmp_path / f"a{suffix}") as image:
        image.load()
        assert image.size == (30, 20)


def test_16_bit_is_rounded_for_formats_of_8_bit(tmp_path: Path) -> None:
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    photo = Photo(np.repeat(ramp[..., None], 3, axis=2), "PNG", grey=True)
    assert (photo.srgb()[..., 0] == np.rint(ramp / 257)).all()
    photo.save(tmp_path / "a.bmp")
    assert (Photo.open(tmp_path / "a.bmp").pixels[..., 0] == np.rint(ramp / 257)).all()


def test_16_bit_that_opencv_cannot_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Photo(random_pixels(np.uint16), "PNG").save(tmp_path / "a.png")
    monkeypatch.setattr(cv2, "imdecode", lambda *_: None)
    with pytest.raises(PhotoError, match=r"a\.png is a damaged or truncated PNG: get a whole copy of it\.$"):
        Photo.open(tmp_path / "a.png")
