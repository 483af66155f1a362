"""The membrane solves Laplace's equation, and a filling that is off by a smooth field meets its surroundings."""

import numpy as np
import pytest

from limner.holes.blend import blended, membrane


def mask_of(height: int, width: int, *holes) -> np.ndarray:
    mask = np.zeros((height, width), bool)
    for hole in holes:
        mask[hole] = True
    return mask


def test_harmonic_fields_come_back():
    """x, y and x^2 - y^2 are harmonic, in the discrete sense too, and so is what is known of them at an edge."""
    y, x = np.mgrid[0:90, 0:120].astype(np.float32) / 60
    field = np.dstack([x, y, x**2 - y**2])
    mask = mask_of(90, 120, np.s_[20:70, 30:100], np.s_[75:80, 5:20])
    found = membrane(field, mask)
    assert (np.abs(found - field).max((0, 1)) < 0.04 * np.ptp(field, (0, 1))).all()
    assert np.array_equal(found[~mask], field[~mask])


@pytest.mark.parametrize("hole", [np.s_[:40, :], np.s_[:, 50:], np.s_[10:11, :], np.s_[3:60, 3:60]])
def test_it_keeps_within_what_is_known(hole):
    field = np.random.default_rng(0).random((64, 64, 3), np.float32)
    mask = mask_of(64, 64, hole)
    found = membrane(field, mask)
    assert np.isfinite(found).all()
    assert found.min() >= field[~mask].min() - 1e-5 and found.max() <= field[~mask].max() + 1e-5


def test_a_filling_in_another_tone_leaves_no_seam():
    around = np.random.default_rng(0).normal(0.5, 0.02, (80, 80, 3)).astype(np.float32)
    mask = mask_of(80, 80, np.s_[20:60, 25:70])
    texture = np.random.default_rng(1).normal(0.2, 0.02, (80, 80, 3)).astype(np.float32)
    joined = blended(texture, around, mask)
    assert np.array_equal(joined[~mask], around[~mask])
    assert abs(joined[mask].mean() - 0.5) < 0.02  # 0.3 off before
    inner = np.s_[30:50, 35:60]
    slopes = [np.diff(one[inner], axis=1).ravel() for one in (joined, texture)]
    assert np.corrcoef(*slopes)[0, 1] > 0.95  # its own texture
