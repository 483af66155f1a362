"""Distances of points, at the size papers state."""

import numpy as np
import pytest

from limner.errors import LimnerError
from limner.evaluate.metrics.landmarks import landmark_distance

SHIFT = np.array([3.0, 4.0])
FIVE = np.array([[100, 120], [180, 120], [140, 170], [110, 210], [170, 210]], np.float32)


def test_a_shift_is_its_length():
    assert landmark_distance(FIVE, FIVE).pixels == 0
    moved = landmark_distance(FIVE + SHIFT, FIVE)
    assert (moved.pixels, moved.eye_distances) == pytest.approx((5, 5 / 80))
    assert landmark_distance(FIVE + SHIFT, FIVE, side=256).pixels == pytest.approx(10)
    assert landmark_distance(FIVE + SHIFT, FIVE, side=256).eye_distances == pytest.approx(5 / 80)
    assert landmark_distance(FIVE, FIVE + SHIFT).pixels == pytest.approx(5)
    further = [landmark_distance(FIVE + step, FIVE).pixels for step in (1, 2, 5)]
    assert further[0] < further[1] < further[2]


def test_eyes_of_68_points_are_the_means_of_six():
    points = np.random.default_rng(0).uniform(0, 512, (68, 2))
    points[36:42] += np.array([10, 200]) - points[36:42].mean(axis=0)
    points[42:48] += np.array([60, 200]) - points[42:48].mean(axis=0)
    assert landmark_distance(points + SHIFT, points).eye_distances == pytest.approx(5 / 50)


@pytest.mark.parametrize(
    ("found", "true", "message"),
    [
        (FIVE[:4], FIVE, r"5 x 2 or 68 x 2 points, not \(4, 2\) and \(5, 2\)\."),
        (FIVE[:4], FIVE[:4], r"not \(4, 2\) and \(4, 2\)\."),
        (FIVE * np.nan, FIVE, r"must be finite numbers"),
        (FIVE, np.ones((5, 2)), r"have both eyes at one place"),
    ],
)
def test_bad_points_are_told(found: np.ndarray, true: np.ndarray, message: str):
    with pytest.raises(LimnerError, match=message):
        landmark_distance(found, true)
