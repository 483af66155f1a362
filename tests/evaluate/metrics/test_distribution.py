"""Distances of distributions against closed forms, and their errors against draws."""

import numpy as np
import pytest

from limner.errors import LimnerError
from limner.evaluate.metrics.distribution import (
    Moments,
    check_features,
    frechet_distance,
    frechet_warning,
    kernel_distance,
    moments,
)


def features(count: int, seed: int = 0, shift: float = 0.0, dimensions: int = 24) -> np.ndarray:
    """Correlated, skewed and nowhere negative, as a net's pooled features are."""
    generator = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(0, 1, (dimensions, dimensions)) * np.linspace(1, 0.1, dimensions)
    return np.maximum(generator.normal(shift, 1, (count, dimensions)) @ mixing.T, 0)


def gaussian(mean: np.ndarray, covariance: np.ndarray) -> Moments:
    return Moments(2, mean, covariance)


def test_moments_of_batches_are_those_of_all():
    rows = features(230) + 1000
    running = Moments()
    for batch in np.array_split(rows.astype(np.float32), [0, 1, 50, 51, 229]):
        running.add(batch)
    assert running.count == 230
    assert running.mean == pytest.approx(rows.mean(axis=0))
    assert running.covariance == pytest.approx(np.cov(rows.T), abs=1e-3)


def test_frechet_distance_is_the_closed_form():
    generator = np.random.default_rng(1)
    turn, _ = np.linalg.qr(generator.normal(size=(6, 6)))
    first, second = generator.uniform(0, 4, 6), generator.uniform(0, 4, 6)
    first[5] = second[0] = 0  # singular
    means = generator.normal(size=(2, 6))
    closed = ((means[0] - means[1]) ** 2).sum() + ((np.sqrt(first) - np.sqrt(second)) ** 2).sum()  # they commute
    found = frechet_distance(*(gaussian(m, (turn * c) @ turn.T) for m, c in zip(means, (first, second), strict=True)))
    assert found == pytest.approx(closed, abs=1e-9)
    # and of two that don't: tr (A B)^(1/2) of 2 x 2 is sqrt(tr AB + 2 sqrt(det AB))
    a, b = np.array([[2, 0.5], [0.5, 1]]), np.array([[1, -0.7], [-0.7, 3]])
    overlap = np.sqrt(np.trace(a @ b) + 2 * np.sqrt(np.linalg.det(a @ b)))
    found = frechet_distance(gaussian(np.zeros(2), a), gaussian(np.ones(2), b))
    assert found == pytest.approx(2 + np.trace(a + b) - 2 * overlap, abs=1e-9)


def test_frechet_distance_grows_with_what_differs():
    truth = moments(features(500))
    assert frechet_distance(truth, truth) == pytest.approx(0, abs=1e-6)
    few = moments(features(10))  # fewer pictures than dimensions
    assert frechet_distance(few, few) == pytest.approx(0, abs=1e-6)
    further = [moments(features(500, 1, shift)) for shift in (0, 0.3, 1)]
    figures = [frechet_distance(other, truth) for other in further]
    assert 0 < figures[0] < figures[1] < figures[2]
    assert frechet_distance(truth, further[1]) == pytest.approx(figures[1])


def test_few_pictures_are_warned_of():
    assert frechet_warning(2000, 70000) == ""
    assert frechet_warning(70000, 167) == (
        "A Fréchet distance of 167 pictures is biased upwards and hardly tells methods apart: take at least 2,000, or "
        "the kernel distance."
    )


def test_kernel_distance_is_the_sum_over_pairs():
    x, y = features(5), features(7, 1)

    def kernel(u: np.ndarray, v: np.ndarray) -> float:
        return (u @ v / 24 + 1) ** 3

    same = [np.mean([kernel(u, v) for i, u in enumerate(s) for j, v in enumerate(s) if i != j]) for s in (x, y)]
    found = kernel_distance(x, y, np.random.default_rng(0))
    assert found.value == pytest.approx(sum(same) - 2 * np.mean([kernel(u, v) for u in x for v in y]))
    turned = kernel_distance(y, x, np.random.default_rng(0))
    assert (turned.value, turned.error) == pytest.approx((found.value, found.error))
    left_out = [kernel_distance(np.delete(x, i, 0), y, np.random.default_rng(0)).value for i in range(5)]
    left_out_y = [kernel_distance(x, np.delete(y, i, 0), np.random.default_rng(0)).value for i in range(7)]
    assert found.error >= np.sqrt(4 * np.var(left_out) + 6 * np.var(left_out_y)) * (1 - 1e-9)


@pytest.mark.parametrize("dimensions", [1, 3, 24])
@pytest.mark.parametrize("size", [60, 1000])
def test_the_interval_of_halves_of_one_set_holds_0(dimensions: int, size: int):
    held, values = 0, []
    for seed in range(100):
        generator = np.random.default_rng(seed)
        halves = np.array_split(features(160, seed, dimensions=dimensions), 2)
        found = kernel_distance(*halves, generator, size=size)
        values.append(found.value)
        held += found.interval[0] <= 0 <= found.interval[1]
    assert held >= 95
    assert abs(np.mean(values)) < 3 * np.std(values) / 10, "unbiased"


def test_pairs_are_alike_without_being_nearer():
    truth = features(120)
    same = kernel_distance(truth, truth, np.random.default_rng(0), paired=True)
    assert (same.value, same.error) == pytest.approx((0, 0), abs=1e-9)
    assert kernel_distance(truth, truth, np.random.default_rng(0)).value < 0, "as sets they'd be nearer than near"
    spoilt = [truth + features(120, 5) * strength for strength in (0.05, 0.2, 0.8)]
    figures = [kernel_distance(other, truth, np.random.default_rng(0), paired=True).value for other in spoilt]
    assert 0 < figures[0] < figures[1] < figures[2]
    turned = kernel_distance(truth, spoilt[1], np.random.default_rng(1), paired=True)
    assert turned.value == pytest.approx(figures[1]), "the deal is of no matter while one subset holds all"


def test_the_interval_of_unlike_pairs_holds_0():
    found = [
        kernel_distance(features(80, s), features(80, s + 500), np.random.default_rng(0), paired=True)
        for s in range(100)
    ]
    assert sum(one.interval[0] <= 0 <= one.interval[1] for one in found) >= 95
    assert abs(np.mean([one.value for one in found])) < 3 * np.std([one.value for one in found]) / 10


def test_the_error_is_that_of_other_pictures():
    found = [kernel_distance(features(100, s, 0.5), features(80, s + 500), np.random.default_rng(0)) for s in range(80)]
    spread = np.std([one.value for one in found])
    assert np.mean([one.error for one in found]) == pytest.approx(spread, rel=0.25)
    assert min(one.interval[0] for one in found) > 0


def test_kernel_distance_grows_with_what_differs():
    truth = features(200)
    figures = [kernel_distance(features(200, 1, s), truth, np.random.default_rng(0)).value for s in (0, 0.3, 1)]
    assert figures[0] < figures[1] < figures[2]
    again = kernel_distance(features(3000, 1, 0.3), truth, np.random.default_rng(0))
    assert again.value == pytest.approx(figures[1], rel=0.5), "a larger set is cut to its counterpart"


@pytest.mark.parametrize(
    ("measure", "message"),
    [
        (lambda: check_features(np.zeros(5)), r"an array of N x D, not 5\."),
        (lambda: check_features(np.full((3, 2), np.nan)), r"no finite number"),
        (lambda: moments(np.zeros((1, 3))).covariance, r"takes two pictures at least, not 1\."),
        (lambda: frechet_distance(Moments(), moments(features(5))), r"two pictures at least, not 0\."),
        (lambda: moments(features(5)).add(np.zeros((4, 3))), r"N x 24, not 4 x 3\."),
        (lambda: frechet_distance(moments(features(5)), moments(np.eye(3))), r"24 and 3 numbers can't be compared"),
        (lambda: kernel_distance(features(3), features(9), np.random.default_rng()), r"four pictures at least.*not 3"),
        (
            lambda: kernel_distance(features(5), features(6), np.random.default_rng(), paired=True),
            r"Sets of 5 and 6 pictures are not paired: give each picture its truth\.",
        ),
        (lambda: kernel_distance(features(5), np.eye(4), np.random.default_rng()), r"N x 24, not 4 x 4\."),
    ],
)
def test_bad_features_are_told(measure, message: str):
    with pytest.raises(LimnerError, match=message):
        measure()
