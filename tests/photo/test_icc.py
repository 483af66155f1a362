"""Colour profiles: kept, seen through, and exact where they change nothing."""

from pathlib import Path

import numpy as np
import pytest
from PIL import ImageCms

from limner.photo.photo import Photo

from .samples import random_pixels, smooth, wide_gamut


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".avif", ".tif"])
def test_the_profile_is_kept(tmp_path: Path, suffix: str) -> None:
    Photo(smooth(), "PNG", icc=wide_gamut()).save(tmp_path / f"a{suffix}")
    assert Photo.open(tmp_path / f"a{suffix}").icc == wide_gamut()


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_wide_gamut_pixels_are_seen_in_srgb_and_stay_as_they_are(tmp_path: Path, depth: type) -> None:
    pixels = random_pixels(depth)
    Photo(pixels, "PNG", icc=wide_gamut()).save(tmp_path / "in.png")
    photo = Photo.open(tmp_path / "in.png")
    seen = photo.srgb()
    # Adobe RGB's (64, 128, 64) is a stronger green in sRGB.
    green = Photo(np.full((1, 1, 3), (64, 128, 64), np.uint8), "PNG", icc=wide_gamut()).srgb()[0, 0]
    assert green[0] < 40 and abs(int(green[1]) - 129) <= 2
    assert np.abs(seen.astype(int) - photo.pixels // (photo.peak // 255)).max() > 20

    # Restore a part, as the paster does, and leave the rest.
    face = photo.pixels[5:10, 5:10].astype(np.float32) / photo.peak
    restored = photo.from_srgb(np.full_like(photo.to_srgb(face), 0.5))
    changed = photo.pixels.copy()
    changed[5:10, 5:10] = np.rint(restored * photo.peak)
    photo.replaced(changed).save(tmp_path / "out.png")
    again = Photo.open(tmp_path / "out.png")
    outside = np.ones((20, 30), bool)
    outside[5:10, 5:10] = False
    assert (again.pixels[outside] == pixels[outside]).all()
    assert np.abs(again.srgb()[5:10, 5:10].astype(int) - 128).max() <= 1


def test_to_srgb_and_back_is_close_through_a_profile_and_exact_without() -> None:
    inside = (0.3 + 0.4 * np.random.default_rng(1).random((16, 16, 3))).astype(np.float32)
    photo = Photo(random_pixels(), "PNG", icc=wide_gamut())
    assert np.abs(photo.to_srgb(photo.from_srgb(inside)) - inside).max() < 2.5 / 255
    assert (Photo(random_pixels(), "PNG").from_srgb(inside) == inside).all()


def test_an_srgb_profile_changes_nothing() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    values = np.random.default_rng(1).random((16, 16, 3)).astype(np.float32)
    photo = Photo(random_pixels(), "PNG", icc=srgb)
    assert (photo.to_srgb(values) == values).all() and (photo.srgb() == photo.pixels).all()


@pytest.mark.parametrize("icc", [b"no profile", wide_gamut()[:300], wide_gamut(b"GRAY")])
def test_a_profile_that_is_damaged_or_of_another_kind_is_taken_for_srgb(icc: bytes) -> None:
    photo = Photo(random_pixels(), "PNG", icc=icc)
    assert (photo.srgb() == photo.pixels).all()


def test_a_grey_profile(tmp_path: Path) -> None:
    icc = wide_gamut(b"GRAY", gamma=1.0)
    photo = Photo(np.full((8, 8, 3), 55, np.uint8), "PNG", grey=True, icc=icc)
    photo.save(tmp_path / "a.png")
    photo = Photo.open(tmp_path / "a.png")
    assert photo.icc == icc
    seen = photo.srgb()
    assert (seen == seen[..., :1]).all() and abs(int(seen[0, 0, 0]) - 128) <= 2  # linear 0.216
    back = photo.from_srgb(seen.astype(np.float32) / 255)
    assert np.abs(back * 255 - 55).max() <= 1
