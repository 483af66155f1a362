"""What can't be written is known before any net runs."""

from pathlib import Path

import numpy as np
import pytest

from limner.errors import PhotoError
from limner.photo.photo import Photo
from limner.photo.writable import check_quality, check_suffix, check_writable, same_file

PHOTO = Photo(np.zeros((10, 20_000, 3), np.uint8), "PNG")


def test_the_format_is_the_suffixs_or_the_photos():
    assert check_writable(PHOTO, Path("a.JPG"), None) == "JPEG"
    for name in ("a", "St. Petersburg 1912", "oma.1912"):
        assert check_writable(PHOTO, Path(name), 90) == "PNG"


@pytest.mark.parametrize(
    ("name", "factor", "told"),
    [
        ("a.webp", 1, "20000 x 10 pixels are more than the 16383 px a side that WEBP holds, so choose .png or .tif"),
        ("a.avif", 2, "40000 x 20 pixels are more than the 32768 px a side that AVIF holds"),
        ("a.jpg", 4, "80000 x 40 pixels are more than the 65500 px a side that JPEG holds"),
        ("a.png", 60, "1200000 x 600 pixels are more than the 1000000 px a side that PNG holds, so choose .tif"),
        ("a.gif", 1, "a.gif can't be written: limner writes .jpg"),
    ],
)
def test_what_a_format_cannot_hold(name, factor, told):
    with pytest.raises(PhotoError, match=told):
        check_writable(PHOTO, Path(name), None, factor)


def test_transparency_and_the_photo_itself(tmp_path):
    clear = Photo(PHOTO.pixels, "PNG", alpha=np.zeros((10, 20_000), np.uint8), path=tmp_path / "a.png")
    with pytest.raises(PhotoError, match="has transparent parts and JPEG holds none"):
        check_writable(clear, Path("a.jpg"), None)
    (tmp_path / "a.png").touch()
    with pytest.raises(PhotoError, match="is the input itself"):
        check_writable(clear, tmp_path / "a.png", None)
    assert not same_file(tmp_path / "a.png", tmp_path / "gone.png")


def test_ranges():
    check_quality(None)
    check_quality(100)
    with pytest.raises(PhotoError, match="There is no quality 101"):
        check_quality(101)
    assert check_suffix(Path("a.TIF")) == ".tif" and check_suffix(Path("a")) == ""
