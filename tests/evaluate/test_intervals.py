"""Intervals of means, of paired differences and of a set's figures."""

import tracemalloc

import numpy as np

from limner.evaluate import intervals
from limner.evaluate.intervals import difference_interval, mean_interval, set_interval


def test_the_interval_of_a_mean_is_that_of_statistics():
    figures = np.random.default_rng(0).normal(3, 2, 400)
    found = mean_interval(figures)
    half = 1.96 * figures.std(ddof=1) / 20
    assert found.value == np.mean(figures)
    assert abs(found.low - (found.value - half)) < 0.03 and abs(found.high - (found.value + half)) < 0.03
    assert mean_interval(figures) == found  # two runs say the same


def test_it_holds_the_truth_in_95_of_100_draws():
    generator = np.random.default_rng(1)
    intervals = [mean_interval(generator.exponential(1, 80)) for _ in range(100)]
    assert 88 <= sum(one.low <= 1 <= one.high for one in intervals) <= 99


def test_pairing_tells_a_difference_that_the_spread_of_pictures_hides():
    generator = np.random.default_rng(0)
    hard = generator.normal(25, 3, 60)
    ours, theirs = hard + 0.2 + generator.normal(0, 0.3, 60), hard
    assert difference_interval(ours, theirs).excludes_zero
    assert not difference_interval(generator.permutation(ours), theirs).excludes_zero
    assert not difference_interval(hard, hard.copy()).excludes_zero


def test_no_interval_of_what_is_no_number():
    assert np.isnan(mean_interval(np.array([1.0, np.inf])).low)
    assert np.isnan(mean_interval(np.zeros(0)).value)


def test_no_interval_of_fewer_than_four():
    three, four = mean_interval(np.array([1.0, 2.0, 3.0])), mean_interval(np.array([1.0, 2.0, 3.0, 4.0]))
    assert three.value == 2 and np.isnan([three.low, three.high]).all() and not three.excludes_zero
    assert four.low < four.value < four.high


def test_the_interval_of_a_set_has_the_width_of_a_means():
    """Over halves without return, the mean of a set has the interval that a bootstrap gives it."""
    figures = np.random.default_rng(0).normal(0, 1, 300)
    found = set_interval(lambda places: float(figures[places].mean()), 300, resampled=800)
    plain = mean_interval(figures)
    assert found.value == plain.value
    assert abs((found.high - found.low) / (plain.high - plain.low) - 1) < 0.15


def test_memory_does_not_grow_with_the_pictures(monkeypatch):
    figures = np.random.default_rng(0).normal(3, 2, 40)
    at_once = mean_interval(figures)
    monkeypatch.setattr(intervals, "DRAWN", 1000)
    assert mean_interval(figures) == at_once, "the same resamples, some at a time"
    peaks = []
    for count in (1_000, 5_000):
        tracemalloc.start()
        mean_interval(np.zeros(count))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 20 * 8 * 4_000, "some rows of resamples, not 2,000"
