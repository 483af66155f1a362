"""WebP: lossless stays so, a grey profile doesn't, and its size is known before memory is taken."""

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner.errors import PhotoError
from limner.photo.photo import Photo

from .samples import encoded, random_pixels, wide_gamut, write


def test_a_lossless_webp_is_saved_without_loss(tmp_path: Path) -> None:
    photo = Photo.open(write(tmp_path / "a.webp", encoded(Image.fromarray(random_pixels()), "WEBP", lossless=True)))
    assert photo.lossless and (photo.pixels == random_pixels()).all()
    photo.save(tmp_path / "b.webp")
    assert (Photo.open(tmp_path / "b.webp").pixels == photo.pixels).all()
    photo.save(tmp_path / "c.webp", quality=80)
    assert not Photo.open(tmp_path / "c.webp").lossless


@pytest.mark.parametrize("suffix", [".webp", ".avif"])
def test_a_grey_profile_is_not_kept_on_three_channels(tmp_path: Path, suffix: str) -> None:
    icc = wide_gamut(b"GRAY", gamma=1.0)
    photo = Photo(np.full((16, 16, 3), 55, np.uint8), "PNG", grey=True, icc=icc)
    photo.save(tmp_path / f"a{suffix}", quality=100)
    again = Photo.open(tmp_path / f"a{suffix}")
    assert again.icc is None and np.abs(again.srgb().astype(int) - photo.srgb()).max() <= 2


@pytest.mark.parametrize("lossless", [False, True])
def test_the_size_is_refused_before_pillow_sees_it(
    tmp_path: Path, lossless: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.webp", encoded(Image.fromarray(random_pixels()), "WEBP", lossless=lossless))
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("opened"))
    with pytest.raises(PhotoError, match="claims 30x20 px, more than the limit"):
        Photo.open(path, max_megapixels=0.0005)


def test_a_canvas_larger_than_the_picture_is_refused(tmp_path: Path) -> None:
    data = encoded(Image.fromarray(random_pixels()), "WEBP", lossless=True, icc_profile=wide_gamut())
    at = data.index(b"VP8X") + 12
    large = data[:at] + struct.pack("<I", 16_000)[:3] + struct.pack("<I", 16_000)[:3] + data[at + 6 :]
    with pytest.raises(PhotoError, match="claims 16001x16001 px"):
        Photo.open(write(tmp_path / "a.webp", large))
