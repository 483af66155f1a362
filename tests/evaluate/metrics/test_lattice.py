"""A lattice stands out on its own lines, and nothing else does."""

import numpy as np
import pytest

from limner.evaluate.metrics.lattice import lattice, lattice_ratio

from .faces import blurred, compressed, face, noisy


def with_lattice(picture: np.ndarray, period: int, strength: float) -> np.ndarray:
    """One grey level more or less in every `period`-th row and column, unevenly, as a decoder leaves it."""
    rows, columns = np.indices(picture.shape[:2])
    pattern = ((rows % period == 0) | (columns % period == 0)).astype(float)
    uneven = np.random.default_rng(3).uniform(0.5, 1.5, pattern.shape)
    return np.clip(np.rint(picture + (strength * pattern * uneven)[..., None]), 0, 255).astype(np.uint8)


def test_a_lattice_stands_out_on_its_lines():
    truth = blurred(face(192), 0.7)
    assert lattice_ratio(truth, truth) == (1, 1)
    for period, own in ((4, 0), (8, 1)):
        ratios = [lattice_ratio(with_lattice(truth, period, strength), truth) for strength in (3, 6, 12)]
        assert 1.1 < ratios[0][own] < ratios[1][own] < ratios[2][own]
    assert lattice_ratio(with_lattice(truth, 4, 6), truth)[1] == pytest.approx(1, abs=0.15)


def test_neither_blur_nor_grain_nor_blocks_are_a_lattice():
    truth = face(256)
    for other in (blurred(truth, 1), noisy(truth, 10), compressed(truth, 30)):
        assert lattice_ratio(other, truth) == pytest.approx((1, 1), abs=0.25)


def test_what_there_is_without_a_lattice():
    white = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    assert lattice(white) == pytest.approx((1.25, 1.25), abs=0.1)
    flat = np.full((100, 70, 3), 90, np.uint8)
    assert lattice(flat) == pytest.approx((1, 1), abs=0.01)
