"""Blur softens edges, sharpening steepens them, and grain is neither."""

import cv2
import numpy as np
import pytest

from limner.errors import LimnerError
from limner.evaluate.metrics.edges import edge_sharpness

from .faces import blurred, compressed, face, noisy


def test_softer_is_less_and_oversharpened_more():
    truth = face(192)
    assert edge_sharpness(truth, truth) == pytest.approx(1)
    soft = [edge_sharpness(blurred(truth, sigma), truth) for sigma in (0.6, 1.2, 2.4, 5)]
    assert 1 > soft[0] > soft[1] > soft[2] > soft[3] > 0
    over = np.clip(2.0 * truth - blurred(truth, 1.5), 0, 255).astype(np.uint8)
    assert edge_sharpness(over, truth) > 1.1


def test_grain_and_jpeg_hardly_count():
    truth = face(192)
    assert edge_sharpness(noisy(truth, 6), truth) == pytest.approx(1, abs=0.06)
    assert edge_sharpness(compressed(truth, 60), truth) == pytest.approx(1, abs=0.06)
    assert edge_sharpness(noisy(blurred(truth, 2), 6), truth) < 0.7


def test_an_edge_may_lie_aside_but_not_run_the_other_way():
    truth = np.full((64, 64, 3), 60, np.uint8)
    truth[:, 32:] = 190
    assert edge_sharpness(np.roll(truth[:, :48], 2, axis=1), truth[:, :48]) == pytest.approx(1)
    assert edge_sharpness(255 - truth, truth) == 0
    assert edge_sharpness(cv2.flip(truth, 1), truth) == 0


def test_a_truth_without_edges_is_told():
    flat = np.full((64, 64, 3), 60, np.uint8)
    with pytest.raises(LimnerError, match=r"no edges whose sharpness could be measured"):
        edge_sharpness(face(64), flat)
