"""Changes made in sRGB come into the photo's own colour space and depth."""

import numpy as np
import pytest
from skimage.data import astronaut
from tests.photo.samples import wide_gamut

from limner.photo.changed import changed
from limner.photo.photo import Photo

PORTRAIT = astronaut()[40:104, 180:244]


def test_where_nothing_changes_the_photos_own_values_come_back():
    deep = np.random.default_rng(0).integers(0, 65536, (8, 8, 3)).astype(np.uint16)
    photo = Photo(deep, "PNG")
    native, shown = deep.astype(np.float32) / 65535, photo.srgb().astype(np.float32) / 255
    np.testing.assert_allclose(changed(photo, native, shown, shown), native, atol=1e-6)
    lifted = np.clip(shown + 0.1, 0, 1)
    np.testing.assert_allclose(changed(photo, native, shown, lifted), np.clip(native + lifted - shown, 0, 1), atol=1e-6)


@pytest.mark.parametrize("profile", [None, wide_gamut()])
def test_values_finer_than_eight_bits_and_colours_beyond_srgb_stay(profile):
    vivid = PORTRAIT.astype(np.uint16) * 256 + 77 if profile is None else PORTRAIT.copy()
    if profile:
        vivid[5:25, 5:25] = (0, 255, 0)
    photo = Photo(vivid, "PNG", icc=profile)
    native, shown = vivid.astype(np.float32) / photo.peak, photo.srgb().astype(np.float32) / 255
    np.testing.assert_allclose(changed(photo, native, shown, shown), native, atol=1e-6)
