"""Photographs in and out of files: pixels, alpha and grey, round trips."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner.errors import PhotoError
from limner.photo.photo import Photo

from .samples import LOSSLESS, LOSSY, MADE, encoded, random_pixels, smooth, write


@pytest.mark.parametrize("suffix", LOSSLESS)
def test_lossless_formats_give_every_pixel_back(tmp_path: Path, suffix: str) -> None:
    photo = Photo(random_pixels(), "PNG", dpi=(300, 200))
    photo.save(tmp_path / f"a{suffix}")
    again = Photo.open(tmp_path / f"a{suffix}")
    assert (again.pixels == photo.pixels).all()
    assert again.format == {".png": "PNG", ".tif": "TIFF", ".bmp": "BMP"}[suffix]
    assert again.pixels.dtype == np.uint8
    assert again.alpha is None and not again.grey
    assert again.dpi == pytest.approx((300, 200), abs=0.1)


@pytest.mark.parametrize("suffix", LOSSY)
def test_lossy_formats_stay_close(tmp_path: Path, suffix: str) -> None:
    photo = Photo(smooth(), "PNG")
    photo.save(tmp_path / f"a{suffix}")
    again = Photo.open(tmp_path / f"a{suffix}")
    assert np.abs(again.pixels.astype(int) - photo.pixels).mean() < 2
    assert again.format == {".jpg": "JPEG", ".webp": "WEBP", ".avif": "AVIF"}[suffix]


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".avif", ".tif", ".bmp"])
def test_any_path(tmp_path: Path, suffix: str) -> None:
    folder = tmp_path / "Фотографии 写真 é"
    folder.mkdir()
    path = folder / ("祖母 🙂 " + "ü" * 110 + suffix)  # near the file system's limit of 255 bytes
    Photo(smooth(), "PNG").save(path)
    assert Photo.open(str(path)).pixels.shape == (40, 56, 3)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".avif"])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_alpha_is_kept(tmp_path: Path, suffix: str, depth: type) -> None:
    peak = np.iinfo(depth).max
    alpha = np.zeros((40, 56), depth)
    alpha[10:, 5:] = peak
    alpha[20:30] = peak // 5 * 2
    photo = Photo((smooth() * np.array(peak // 255, depth)).astype(depth), "PNG", alpha)
    photo.save(tmp_path / f"a{suffix}", quality=100)
    again = Photo.open(tmp_path / f"a{suffix}")
    assert again.alpha is not None
    assert np.abs(again.alpha / again.peak - alpha / peak).max() < 0.01
    if suffix != ".avif":  # the others are lossless here: also the colours that nobody sees
        assert again.pixels.dtype == depth or suffix == ".webp"
        assert (again.pixels // (again.peak // 255) == photo.pixels // (peak // 255)).all()


def test_the_shared_photo_with_alpha(collection: Path, tmp_path: Path) -> None:
    photo = Photo.open(collection / "photos" / "solvay_conference_1927_rgba.png")
    assert photo.alpha is not None
    photo.save(tmp_path / "a.png", provenance=MADE)
    again = Photo.open(tmp_path / "a.png")
    assert again.alpha is not None
    assert (again.pixels == photo.pixels).all() and (again.alpha == photo.alpha).all()
    assert again.icc == photo.icc


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".bmp"])
def test_grey_stays_a_single_channel(tmp_path: Path, suffix: str) -> None:
    source = write(tmp_path / "in.png", encoded(Image.fromarray(smooth(channels=1)[..., 0]), "PNG"))
    photo = Photo.open(source)
    assert photo.grey and photo.pixels.shape == (40, 56, 3)
    photo.save(tmp_path / f"a{suffix}")
    with Image.open(tmp_path / f"a{suffix}") as image:
        assert image.mode == "L"
    again = Photo.open(tmp_path / f"a{suffix}")
    assert again.grey
    assert np.abs(again.pixels.astype(int) - photo.pixels).max() <= (3 if suffix == ".jpg" else 0)


@pytest.mark.parametrize("suffix", [".webp", ".avif"])
def test_grey_in_formats_of_three_channels(tmp_path: Path, suffix: str) -> None:
    Photo(np.repeat(smooth(channels=1), 3, axis=2), "PNG", grey=True).save(tmp_path / f"a{suffix}")
    again = Photo.open(tmp_path / f"a{suffix}")
    assert np.ptp(again.pixels.astype(int), axis=2).max() <= 3


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_grey_with_alpha(tmp_path: Path, suffix: str, depth: type) -> None:
    grey = np.repeat(random_pixels(depth, (20, 30, 1)), 3, axis=2)
    photo = Photo(grey, "PNG", random_pixels(depth, (20, 30)), grey=True)
    photo.save(tmp_path / f"a{suffix}")
    again = Photo.open(tmp_path / f"a{suffix}")
    assert again.alpha is not None and photo.alpha is not None
    assert (again.pixels == grey).all() and (again.alpha == photo.alpha).all()
    assert again.grey == (suffix == ".png" or depth is np.uint8)


def test_other_pixels_must_have_the_same_shape_and_dtype() -> None:
    photo = Photo(smooth(), "PNG")
    assert photo.replaced(photo.pixels // 2).pixels.max() < 128
    for wrong in (photo.pixels[1:], photo.pixels.astype(np.uint16)):
        with pytest.raises(ValueError, match="the photo is \\(40, 56, 3\\) uint8"):
            photo.replaced(wrong)


@pytest.mark.parametrize(
    ("pixels", "told"),
    [
        (np.zeros((4, 5, 3)), r"not \(4, 5, 3\) in float64: scale floats to 255"),
        (np.zeros((4, 5), np.uint8), r"not \(4, 5\) in uint8"),
        (np.zeros((4, 5, 4), np.uint8), r"not \(4, 5, 4\) in uint8"),
        (np.zeros((0, 5, 3), np.uint8), r"not \(0, 5, 3\) in uint8"),
        ([[[0, 0, 0]]], r"not \(1, 1, 3\) in list"),
    ],
)
def test_what_are_no_pixels_is_refused(pixels, told) -> None:
    with pytest.raises(PhotoError, match=told):
        Photo(pixels, "PNG")


def test_alpha_and_format_are_checked() -> None:
    pixels = np.zeros((4, 5, 3), np.uint8)
    with pytest.raises(PhotoError, match=r"The alpha of this photo is \(4, 5\) in uint8, not \(5, 4\) in uint8"):
        Photo(pixels, "PNG", alpha=np.zeros((5, 4), np.uint8))
    with pytest.raises(PhotoError, match="There is no format 'gif' of photos: choose one of JPEG, PNG"):
        Photo(pixels, "gif")


@pytest.mark.parametrize("limit", [float("nan"), 0, -1])
def test_a_limit_that_is_none_is_refused(tmp_path, limit) -> None:
    Photo(np.zeros((4, 5, 3), np.uint8), "PNG").save(tmp_path / "a.png")
    with pytest.raises(PhotoError, match="megapixels lets no photo pass"):
        Photo.open(tmp_path / "a.png", limit)


def test_a_pipe_does_not_block(tmp_path) -> None:
    os.mkfifo(tmp_path / "a.jpg")
    with pytest.raises(PhotoError, match="is a pipe or a device"):
        Photo.open(tmp_path / "a.jpg")
