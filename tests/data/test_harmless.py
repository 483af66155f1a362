"""What only looks damaged: each has its size, differs from the picture, and a quarter of windows are one."""

import numpy as np
import pytest
from skimage.data import astronaut

from limner.data.harmless import HARMLESS, engraved, mounted, perhaps_harmless, written

PICTURE = np.ascontiguousarray(astronaut()[:120, 150:270])


@pytest.mark.parametrize("make", [make for make, _ in HARMLESS])
def test_it_is_another_picture_of_the_same_size(make):
    changed = 0
    for seed in range(6):
        for clean in (PICTURE, np.ascontiguousarray(PICTURE[:70])):
            made = make(clean, np.random.default_rng(seed))
            assert made.shape == clean.shape and made.dtype == np.uint8
            changed += bool((made != clean).mean() > 0.003)
    assert changed >= 8


def test_an_engraving_is_darker_where_the_picture_is():
    ramp = np.repeat(np.linspace(0, 255, 200).astype(np.uint8)[None, :, None], 100, axis=0).repeat(3, 2)
    for seed in range(8):
        made = engraved(ramp, np.random.default_rng(seed)).astype(float)
        assert made[:, :60].mean() < made[:, 140:].mean() - 20


def test_writing_and_mounts_leave_the_picture_beside_them():
    for make in (written, mounted):
        same = [(make(PICTURE, np.random.default_rng(seed)) == PICTURE).mean() for seed in range(20)]
        assert max(same) > 0.3


def test_three_tenths_are_harmless():
    other = sum(perhaps_harmless(PICTURE, np.random.default_rng(seed)) is not PICTURE for seed in range(150))
    assert 25 < other < 75
