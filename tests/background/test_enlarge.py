"""A photo several times as large, strip by strip, in its own depth and colours."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from skimage.data import astronaut

from limner.background import enlarge
from limner.background.enlarge import enlarged
from limner.nets.enlarge import Enlarger
from limner.photo.photo import Photo

PORTRAIT = astronaut()[:200, 120:400]


def small_net():
    return Enlarger(width=8, cleaner_config={"widths": (8, 8), "depths": (1, 1), "tail_width": 8})


@pytest.fixture
def net():
    """One that adds something that is seen."""
    torch.manual_seed(0)
    net = small_net().eval()
    torch.nn.init.normal_(net.head.weight, std=0.002)
    return net


def never():
    raise AssertionError("the net was asked for")


def test_a_factor_of_one_is_the_photo_itself():
    photo = Photo(PORTRAIT, "PNG")
    assert enlarged(photo, 1, never)[0] is photo


@pytest.mark.parametrize("factor", [2, 3, 4, 5])
def test_enlarging_keeps_places(factor):
    ramp = np.tile(np.arange(0, 240, 4, dtype=np.uint8)[None, :, None], (60, 1, 3))
    big, back = enlarged(Photo(ramp, "PNG"), factor, small_net)
    assert big.pixels.shape == (60 * factor, 60 * factor, 3)
    x = 30 * factor
    assert big.pixels[x, x, 0] == pytest.approx(4 * (back @ [x, x, 1])[0], abs=1.5)


def test_strips_and_tiles_make_no_seam(net, monkeypatch):
    photo = Photo(PORTRAIT, "PNG")
    whole = enlarged(photo, 2, lambda: net, clean=True)[0].pixels.astype(int)
    assert np.abs(whole - enlarged(photo, 2, small_net, clean=True)[0].pixels).max() > 3  # the net has its say
    monkeypatch.setattr(enlarge, "TILE", 160)
    monkeypatch.setattr(enlarge, "OVERLAP", 64)
    assert np.abs(enlarged(photo, 2, lambda: net, clean=True)[0].pixels - whole).max() <= 2


def test_sixteen_bits_stay_sixteen_and_alpha_grows_too(net):
    deep = PORTRAIT.astype(np.uint16) * 257
    alpha = np.full(deep.shape[:2], 65535, np.uint16)
    alpha[:, :100] = 0
    big, _ = enlarged(replace(Photo(deep, "PNG"), alpha=alpha), 3, lambda: net)
    assert big.pixels.dtype == np.uint16 and big.alpha is not None and big.alpha.shape == (600, 840)
    assert big.alpha[:, :290].max() == 0 and big.alpha[:, 310:].min() == 65535
    shallow = enlarged(Photo(PORTRAIT, "PNG"), 3, lambda: net)[0].pixels
    assert np.abs(big.pixels / 257 - shallow).max() <= 2


def test_grey_stays_grey(net):
    grey = cv2.cvtColor(PORTRAIT, cv2.COLOR_RGB2GRAY)[..., None].repeat(3, 2)
    assert np.ptp(enlarged(Photo(grey, "PNG"), 2, lambda: net)[0].pixels.astype(int), axis=2).max() == 0


def test_made_small_again_it_is_the_photo_unless_it_may_be_cleaned(net):
    kept, cleaned = (enlarged(Photo(PORTRAIT, "PNG"), 2, lambda: net, clean)[0].pixels for clean in (False, True))
    small = [cv2.resize(one, PORTRAIT.shape[1::-1], interpolation=cv2.INTER_AREA) for one in (kept, cleaned)]
    error = [np.sqrt(np.mean((one.astype(float) - PORTRAIT) ** 2)) for one in small]
    assert error[0] < 1 < error[1]
