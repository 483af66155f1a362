"""A clean background, strip by strip, in the photo's own colours."""

import numpy as np
from skimage.data import astronaut

from limner.background.clean import with_clean_background
from limner.device import choose
from limner.faces.join import Joiner
from limner.photo.photo import Photo

PORTRAIT = astronaut()[:320, 60:380]


def test_a_clean_background_in_strips_is_the_same(monkeypatch):
    photo, joiner = Photo(PORTRAIT, "PNG"), Joiner(choose("cpu", "fp32"))
    whole = with_clean_background(photo, PORTRAIT, joiner).astype(int)
    monkeypatch.setattr("limner.background.clean.STRIP", 96)
    assert np.abs(with_clean_background(photo, PORTRAIT, joiner) - whole).max() <= 1


def test_a_clean_background_keeps_a_spot_of_colour_in_a_grey_photo_and_greys_grey():
    ramp = np.repeat(np.linspace(60, 200, 400).astype(np.uint8)[None, :, None], 400, 0).repeat(3, 2)
    spot = ramp.copy()
    spot[180:220, 180:220] = (200, 30, 30)
    joiner = Joiner(choose("cpu", "fp32"))
    red = with_clean_background(Photo(spot, "PNG"), spot, joiner)[190:210, 190:210].mean((0, 1))
    np.testing.assert_allclose(red, (200, 30, 30), atol=4)
    assert np.ptp(with_clean_background(Photo(ramp, "PNG"), ramp, joiner).astype(int), axis=2).max() == 0
