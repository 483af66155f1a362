"""Cuts are found, and neither motion nor grain is one."""

import numpy as np
from skimage.data import astronaut, coffee

from limner.video.cuts import Cuts


def cuts_in(frames):
    cuts = Cuts()
    return [number for number, frame in enumerate(frames) if cuts.is_cut(cuts.apart(frame))]


def test_a_cut_is_where_another_picture_begins():
    one, other = astronaut()[:400, :400], coffee()[:400, :400]
    assert cuts_in([one] * 5 + [other] * 5 + [one] * 3) == [5, 10]


def test_a_pan_with_grain_is_none():
    random = np.random.default_rng(0)
    frames = [astronaut()[:300, 6 * n : 6 * n + 300] for n in range(30)]
    frames = [np.clip(one + random.normal(0, 12, one.shape), 0, 255).astype(np.uint8) for one in frames]
    assert cuts_in(frames) == []


def test_a_fast_pan_is_none_once_it_goes_on():
    frames = [np.roll(astronaut(), 40 * n, axis=1)[:300] for n in range(12)]
    assert len([one for one in cuts_in(frames) if one > 1]) == 0
