"""HEIC, the photos of phones, and what is said where pillow-heif isn't installed."""

import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from limner.errors import PhotoError
from limner.photo.photo import Photo
from limner.photo.provenance import read

from .samples import MADE, XMP, assert_exif, exif, smooth, wide_gamut, write


def heic(pixels: np.ndarray, **options: object) -> bytes:
    file = BytesIO()
    image = Image.fromarray(pixels)
    image.info["icc_profile"] = wide_gamut()
    pillow_heif.from_pillow(image).save(file, quality=95, **options)
    return file.getvalue()


def test_a_phones_photo_is_read_and_written(tmp_path: Path) -> None:
    photo = Photo.open(write(tmp_path / "a.heic", heic(smooth(), exif=exif(), xmp=XMP)))
    assert photo.format == "HEIF" and np.abs(photo.pixels.astype(int) - smooth()).mean() < 3
    assert_exif(photo.exif)
    assert photo.xmp == XMP and photo.icc == wide_gamut()
    photo.save(tmp_path / "b.heic", provenance=MADE)
    again = Photo.open(tmp_path / "b.heic")
    assert np.abs(again.pixels.astype(int) - photo.pixels).mean() < 2
    assert_exif(again.exif)
    assert again.icc == photo.icc and read(tmp_path / "b.heic") == MADE
    photo.save(tmp_path / "c.jpg")
    assert_exif(Photo.open(tmp_path / "c.jpg").exif)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA"])
def test_grey_and_alpha(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(smooth(channels=4)).convert(mode)
    alpha = np.asarray(image.getchannel("A")) if mode.endswith("A") else None
    pixels = np.asarray(image.convert("RGB"))
    Photo(pixels, "PNG", alpha, grey=mode.startswith("L")).save(tmp_path / "a.heic")
    photo = Photo.open(tmp_path / "a.heic")
    assert np.abs(photo.pixels.astype(int) - pixels).mean() < 4
    assert (photo.alpha is None) == (alpha is None)


def test_the_turn_in_exif_is_not_applied_twice(tmp_path: Path) -> None:
    photo = Photo.open(write(tmp_path / "a.heic", heic(smooth(), exif=exif(6))))
    photo.save(tmp_path / "b.png")
    assert Photo.open(tmp_path / "b.png").pixels.shape == photo.pixels.shape


def test_bad_exif_is_no_reason_to_refuse_it(tmp_path: Path) -> None:
    data = heic(smooth(), exif=exif())
    start = data.index(exif()[6:14])
    photo = Photo.open(write(tmp_path / "a.heic", data[:start] + b"\xfa\xfa" + data[start + 2 :]))
    assert photo.exif is None and photo.notes == ("The EXIF is damaged and was left out.",)


def test_damage_and_size(tmp_path: Path) -> None:
    data = heic(smooth())
    for share in (0.1, 0.5, 0.95):
        path = write(tmp_path / "a.heic", data[: int(share * len(data))])
        with pytest.raises(PhotoError, match=r"a\.heic is a damaged or truncated HEIF: get a whole copy of it\.$"):
            Photo.open(path)
    with pytest.raises(PhotoError, match=r"claims 56x40 px, more than the limit of 0\.001 megapixels"):
        Photo.open(write(tmp_path / "b.heic", data), max_megapixels=0.001)


def test_without_the_extra_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.heic", heic(smooth()))
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    needs = r"is a HEIC photo, which needs pillow-heif: install it with `pip install 'limner\[heif\]'`\.$"
    with pytest.raises(PhotoError, match=r"a\.heic " + needs):
        Photo.open(path)
    with pytest.raises(PhotoError, match=r"b\.heic " + needs):
        Photo(smooth(), "PNG").save(tmp_path / "b.heic")
