"""The colour difference is scikit-image's, and its absence is told."""

import sys

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from limner.errors import LimnerError
from limner.evaluate.metrics.colour import colour_shift

from .faces import RISING, face


def test_it_agrees_with_scikit_image():
    truth = face(32)
    other = np.clip(truth * (1.1, 1, 0.85), 0, 255).astype(np.uint8)
    assert colour_shift(other, truth) == pytest.approx(
        deltaE_ciede2000(rgb2lab(truth), rgb2lab(other)).mean(), abs=1e-6
    )


def test_a_known_difference():
    """Of two greys only lightness differs: Delta E = Delta L' / S_L of Sharma et al. 2005."""
    a, b = (np.full((4, 4, 3), level, np.uint8) for level in (119, 121))
    low, high = (float(rgb2lab(picture)[0, 0, 0]) for picture in (a, b))
    middle = ((low + high) / 2 - 50) ** 2
    assert colour_shift(a, b) == pytest.approx((high - low) / (1 + 0.015 * middle / np.sqrt(20 + middle)), abs=1e-3)


def test_further_is_more():
    truth = face(64)
    assert colour_shift(truth, truth) == 0
    tinted = [np.clip(truth * (1 + k, 1, 1 - k), 0, 255).astype(np.uint8) for k in (0.03, 0.1, 0.3)]
    figures = [colour_shift(picture, truth) for picture in tinted]
    assert 0 < figures[0] < figures[1] < figures[2]
    assert colour_shift(truth, tinted[1]) == pytest.approx(figures[1])
    for spoil, strengths in RISING:
        figures = [colour_shift(spoil(truth, strength), truth) for strength in strengths]
        assert 0 < figures[0] < figures[1] < figures[2]


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.color", None)
    with pytest.raises(LimnerError, match=r"needs scikit-image: install it with `pip install 'limner\[measure\]'`\."):
        colour_shift(face(32), face(32))
