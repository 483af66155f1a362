"""Distances of two sets of pictures with their intervals; the formulas stand in `metrics/distribution.py`."""

from __future__ import annotations

import numpy as np

from limner.evaluate.intervals import Interval, set_interval
from limner.evaluate.metrics.distribution import check_features, frechet_distance, kernel_distance, moments

FACTOR = 1_000
"""What kernel distances are multiplied by, as papers print them."""
MANY = 1_000
"""Pictures above which features are summed up instead of held against each other, so that memory doesn't grow with
their count, and an interval is told from fewer halves."""
FEWER = 20
"""Halves of so many."""


def frechet_interval(ours: np.ndarray, theirs: np.ndarray) -> Interval:
    """The Fréchet distance of two sets' features, (N, D) each, row i of both of one picture, over halves of the set.

    Of `MANY` pictures at most it is computed from inner products, (N, N), so that the many halves cost little: of
    centred features A and B the trace of (C_a C_b)^(1/2) is the sum of the singular values of A B^T.

    Raises:
        LimnerError: see `check_features`.
    """
    for features in (ours, theirs):
        check_features(features)
    if len(ours) > MANY:
        return set_interval(
            lambda places: frechet_distance(moments(ours, places), moments(theirs, places)), len(ours), FEWER
        )
    xx, yy, xy = _products(ours, theirs)

    def of(places: np.ndarray) -> float:
        inside = np.ix_(places, places)
        a, b, between = xx[inside], yy[inside], xy[inside]
        if len(places) < 2:
            return float("nan")
        apart = a.mean() + b.mean() - 2 * between.mean()
        spread = _variance(a) + _variance(b)
        centred = between - between.mean(0) - between.mean(1)[:, None] + between.mean()
        overlap = np.linalg.svd(centred, compute_uv=False).sum() / (len(places) - 1)
        return max(float(apart + spread - 2 * overlap), 0.0)

    return set_interval(of, len(ours))


def kernel_interval(ours: np.ndarray, theirs: np.ndarray) -> Interval:
    """1,000 times the kernel distance, of pairs, with the interval that its error gives; NaN of fewer than four."""
    if len(ours) < 4:
        return Interval(float("nan"), float("nan"), float("nan"))
    found = kernel_distance(ours, theirs, np.random.default_rng(0), paired=True)
    return Interval(FACTOR * found.value, *(FACTOR * bound for bound in found.interval))


def frechet_to_photographs(ours: np.ndarray, photographs: np.ndarray) -> Interval:
    """The Fréchet distance of features (N, D) to those of photographs (M, D) that are not their truths, over halves of
    ours; the photographs count as what they stand for.

    Of `MANY` pictures at most it is computed from inner products, as in `frechet_interval`: of centred features A the
    trace of (C_a C_b)^(1/2) is that of (A C_b A^T / (n - 1))^(1/2), (N, N).

    Raises:
        LimnerError: see `check_features`.
    """
    check_features(ours)
    check_features(photographs, ours.shape[1])
    if min(len(ours), len(photographs)) < 2:
        return Interval(float("nan"), float("nan"), float("nan"))
    theirs = moments(photographs)
    if len(ours) > MANY:
        return set_interval(lambda places: frechet_distance(moments(ours, places), theirs), len(ours), FEWER)
    x = ours.astype(np.float64) - theirs.mean
    xx, under = x @ x.T, x @ theirs.covariance @ x.T
    spread = float(np.trace(theirs.covariance))

    def of(places: np.ndarray) -> float:
        inside = np.ix_(places, places)
        own, cross = xx[inside], under[inside]
        if len(places) < 2:
            return float("nan")
        centred = cross - cross.mean(0) - cross.mean(1)[:, None] + cross.mean()
        roots = np.sqrt(np.maximum(np.linalg.eigvalsh(centred) / (len(places) - 1), 0)).sum()
        return max(float(own.mean() + _variance(own) + spread - 2 * roots), 0.0)

    return set_interval(of, len(x))


def kernel_to_photographs(ours: np.ndarray, photographs: np.ndarray) -> Interval:
    """1,000 times the kernel distance of features (N, D) to those of photographs (M, D) that are not their truths, with
    the interval that its error gives; NaN of fewer than four."""
    if min(len(ours), len(photographs)) < 4:
        return Interval(float("nan"), float("nan"), float("nan"))
    found = kernel_distance(ours, photographs, np.random.default_rng(0))
    return Interval(FACTOR * found.value, *(FACTOR * bound for bound in found.interval))


def _products(ours: np.ndarray, theirs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inner products of all pairs of features (N, D) within each set and between both, (N, N) each."""
    x, y = ours.astype(np.float64), theirs.astype(np.float64)
    return x @ x.T, y @ y.T, x @ y.T


def _variance(products: np.ndarray) -> float:
    """The trace of the covariance, from inner products."""
    return float((np.trace(products) - products.mean() * len(products)) / (len(products) - 1))
