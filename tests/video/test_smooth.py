"""Landmarks are smoothed without lag, as far as their own noise asks for."""

import numpy as np
import pytest

from limner.video.smooth import smoothed

TIMES = np.arange(72) / 24
MOVING = np.stack([100 + 60 * np.sin(2 * TIMES + n) for n in range(10)], 1)
ALL = np.ones(72, bool)


@pytest.mark.parametrize(("noise", "left"), [(0.5, 0.35), (1.5, 0.2)])
def test_jitter_is_taken_off_and_the_way_is_kept(noise, left):
    seen = MOVING + noise * np.random.default_rng(0).standard_normal(MOVING.shape)
    way = smoothed(TIMES, ALL, seen)
    jitter = np.abs(np.diff(way - MOVING, axis=0)).mean() / np.abs(np.diff(seen - MOVING, axis=0)).mean()
    assert jitter < left
    assert np.abs(way - MOVING).mean() < 0.65 * np.abs(seen - MOVING).mean()
    shifted = [np.abs(way[3:-3] - MOVING[3 + lag : 69 + lag]).mean() for lag in (-1, 0, 1)]
    assert shifted[1] == min(shifted)


def test_what_holds_still_is_held_still():
    still = np.full((72, 10), 50.0)
    way = smoothed(TIMES, ALL, still + np.random.default_rng(0).standard_normal(still.shape))
    assert np.abs(way - still).mean() < 0.2 and np.abs(np.diff(way, axis=0)).mean() < 0.02


def test_gaps_are_bridged_and_outliers_count_for_nothing():
    seen, values = ALL.copy(), MOVING + 0.3 * np.random.default_rng(0).standard_normal(MOVING.shape)
    seen[20:26], values[20:26], values[40] = False, 1e6, values[40] + 30
    way = smoothed(TIMES, seen, values)
    assert np.abs(way[20:26] - MOVING[20:26]).max() < 3 and np.abs(way[40] - MOVING[40]).max() < 1.5


def test_times_may_lie_unevenly():
    times = np.cumsum(np.random.default_rng(1).choice([1, 2], 72)) / 24
    line = np.outer(times, np.arange(10.0))
    assert np.allclose(smoothed(times, ALL, line), line, atol=1e-3)


@pytest.mark.parametrize("count", [1, 2])
def test_of_few_sightings_it_is_the_line_between(count):
    seen = np.zeros(5, bool)
    seen[[0, 4][:count]] = True
    way = smoothed(TIMES[:5], seen, np.repeat(np.array([[0.0], [9], [9], [9], [4]]), 10, 1))
    assert np.allclose(way[:, 0], [0, 1, 2, 3, 4] if count == 2 else 0)
