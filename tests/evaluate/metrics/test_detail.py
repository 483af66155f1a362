"""Blur takes detail, and grain gives none but in the finest octave."""

import numpy as np
import pytest

from limner.evaluate.metrics.detail import detail_by_band, detail_ratio, laplacian_variance

from .faces import blurred, face, noisy


def test_detail():
    clean = face()
    assert laplacian_variance(np.full((8, 8, 3), 7, np.uint8)) == 0
    assert detail_ratio(clean, clean) == 1
    assert detail_ratio(noisy(clean, 15), clean) > 1.5
    assert detail_ratio(blurred(clean, 1), clean) < 0.6


def test_blur_takes_the_finest_octave_first():
    truth = face(192)
    assert detail_by_band(truth, truth) == pytest.approx((1, 1, 1, 1))
    weak, strong = (detail_by_band(blurred(truth, sigma), truth) for sigma in (1, 3))
    assert np.all(np.diff(weak) > 0) and np.all(np.diff(strong) > 0) and np.all(np.less(strong, weak))
    assert weak[0] < 0.4 and weak[3] > 0.8


def test_grain_does_not_pass_for_lost_detail():
    truth = face(192)
    grainy = noisy(blurred(truth, 1.5), 18)
    fine, next_one, third, _ = detail_by_band(grainy, truth)
    assert fine > 1 and next_one < 0.7, "the Laplacian's variance alone would call this sharp"
    assert detail_ratio(grainy, truth) > 1
    assert third == pytest.approx(detail_by_band(blurred(truth, 1.5), truth)[2], abs=0.1)
