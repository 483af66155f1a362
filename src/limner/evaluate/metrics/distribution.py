"""How far a set of restored faces lies from a set of photographs, as distributions of features.

Features are arrays (N, D) of finite numbers, one row a picture, as `evaluate/extractors.py` gives them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from limner.errors import LimnerError

FEW = 2000
"""Pictures below which a Fréchet distance says more about their count than about them."""
BATCH = 1000
"""Pictures whose features are summed up together."""
SUBSET = 1000
"""Pictures of each set in one subset of the kernel distance, as published."""


def check_features(features: np.ndarray, dimensions: int | None = None) -> None:
    """Makes sure that features are such.

    Args:
        features: should be (N, D), finite.
        dimensions: D; any by default.

    Raises:
        LimnerError: they are of another shape, or hold what is no finite number.
    """
    if features.ndim != 2 or dimensions not in (None, features.shape[1]):
        wanted = "N x D" if dimensions is None else f"N x {dimensions}"
        raise LimnerError(f"Features come as an array of {wanted}, not {' x '.join(map(str, features.shape))}.")
    if not np.isfinite(features).all():
        raise LimnerError("Features hold what is no finite number: look for pictures that the extractor can't read.")


@dataclass
class Moments:
    """Count, mean and scatter of features, from batches that need not be kept.

    Attributes:
        count: rows so far.
        mean: (D,) float64.
        scatter: (D, D) float64, the sum of outer products of differences from the mean.
    """

    count: int = 0
    mean: np.ndarray = field(default_factory=lambda: np.zeros(0))
    scatter: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))

    def add(self, features: np.ndarray) -> None:
        """Takes in a batch (N, D), by the pairwise sums of Chan et al. 1983.

        Raises:
            LimnerError: see `check_features`.
        """
        check_features(features, len(self.mean) if self.count else None)
        if not len(features):
            return
        features = features.astype(np.float64)
        mean = features.mean(axis=0)
        centred = features - mean
        if not self.count:
            self.count, self.mean, self.scatter = len(features), mean, centred.T @ centred
            return
        total = self.count + len(features)
        apart = mean - self.mean
        self.scatter += centred.T @ centred + np.outer(apart, apart) * (self.count * len(features) / total)
        self.mean = self.mean + apart * (len(features) / total)
        self.count = total

    @property
    def covariance(self) -> np.ndarray:
        """The sample covariance, (D, D).

        Raises:
            LimnerError: of fewer than two rows.
        """
        if self.count < 2:
            raise LimnerError(f"A distribution takes two pictures at least, not {self.count}.")
        return self.scatter / (self.count - 1)


def moments(features: np.ndarray, places: np.ndarray | None = None) -> Moments:
    """Those of one array of features (N, D), which may lie on disk.

    Args:
        features: all of them.
        places: of the rows that count; by default all do.
    """
    found = Moments()
    for first in range(0, len(features) if places is None else len(places), BATCH):
        found.add(features[slice(first, first + BATCH) if places is None else places[first : first + BATCH]])
    return found


def frechet_distance(a: Moments, b: Moments) -> float:
    """The Fréchet distance of the Gaussians with two sets' moments (Heusel et al. 2017; Dowson & Landau 1982):
    |m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)).

    0 upwards, lower is better, symmetric. With Inception's features it is FID, with others only like it. Variant: the
    trace of the root from the eigenvalues of C_a^(1/2) C_b C_a^(1/2), which stays real and exact where covariances are
    singular, as those of fewer pictures than dimensions are. It is biased upwards, the more the fewer the pictures:
    see `frechet_warning`, and compare equal counts only.

    Raises:
        LimnerError: a set has fewer than two pictures, or their features are of different lengths.
    """
    first, second = a.covariance, b.covariance
    if first.shape != second.shape:
        raise LimnerError(f"Features of {len(first)} and {len(second)} numbers can't be compared: use one extractor.")
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    product = root @ second @ root
    overlap = np.sqrt(np.maximum(np.linalg.eigvalsh((product + product.T) / 2), 0)).sum()
    distance = ((a.mean - b.mean) ** 2).sum() + np.trace(first) + np.trace(second) - 2 * overlap
    return max(float(distance), 0.0)  # of equal sets rounding may leave less than nothing


def frechet_warning(*counts: int) -> str:
    """One sentence to print beside a Fréchet distance of so many pictures; empty if they are enough."""
    if min(counts) >= FEW:
        return ""
    return (
        f"A Fréchet distance of {min(counts)} pictures is biased upwards and hardly tells methods apart: take at least "
        f"{FEW:,}, or the kernel distance."
    )


@dataclass(frozen=True)
class KernelDistance:
    """What `kernel_distance` finds.

    Attributes:
        value: the estimate; lower is better.
        error: its standard error.
    """

    value: float
    error: float

    @property
    def interval(self) -> tuple[float, float]:
        """That of 95 %."""
        return self.value - 1.96 * self.error, self.value + 1.96 * self.error


def kernel_distance(
    a: np.ndarray, b: np.ndarray, generator: np.random.Generator, paired: bool = False, size: int = SUBSET
) -> KernelDistance:
    """The squared maximum mean discrepancy of two sets of features under the kernel (x.y / D + 1)^3 (Bińkowski et al.
    2018), unbiased: mean k(a, a') + mean k(b, b') - 2 mean k(a, b), over pairs of different pictures.

    0 in the mean where both sets are of one distribution, so it may be a little negative; lower is better, symmetric.
    With Inception's features it is KID, with others only like it; papers print it times 1,000. Variants: both sets are
    dealt at random into disjoint subsets of at most `size`, where papers draw 100 that overlap; the mean is the same.
    The standard error is the jackknife's over pictures, which says what other pictures would have given, where the
    spread of overlapping subsets says what other draws would have; but no less than what chance alone gives two sets
    of one distribution. There are as many subsets as the smaller set fills, and of a larger one the rest is left out.

    Args:
        a, b: (N, D) and (M, D).
        generator: deals them.
        paired: whether row i of both shows the same person's same picture, as a restoration and its truth do. They are
            alike for that alone, which would count as nearness of the distributions, so k(a_i, b_i) is left out.
        size: of a subset.

    Raises:
        LimnerError: see `check_features`; there are fewer than four pictures in a set; or pairs that are none.
    """
    check_features(a)
    check_features(b, a.shape[1])
    fewest = min(len(a), len(b))
    if fewest < 4:
        raise LimnerError(f"A kernel distance takes four pictures at least in each set, not {fewest}.")
    if paired and len(a) != len(b):
        raise LimnerError(f"Sets of {len(a)} and {len(b)} pictures are not paired: give each picture its truth.")
    count = -(-fewest // size)
    order = generator.permutation(len(a))
    orders = (order, order if paired else generator.permutation(len(b)))
    hands = zip(*(np.array_split(chosen[: count * size], count) for chosen in orders), strict=True)
    of = _of_pairs if paired else _of_sets
    # a subset's features are taken up when it is its turn: memory doesn't grow with the sets
    found = [of(a[first].astype(np.float64), b[second].astype(np.float64)) for first, second in hands]
    error = np.sqrt(sum(one.error**2 for one in found)) / count
    return KernelDistance(float(np.mean([one.value for one in found])), float(error))


def _kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of all pairs of rows (N, D) and (M, D): (N, M), which is as large as all else together, so that it is computed in
    its place."""
    found = a @ b.T
    found /= a.shape[1]
    found += 1
    found **= 3
    return found


def _of_sets(x: np.ndarray, y: np.ndarray) -> KernelDistance:
    """The estimate of two independent subsets, (n, D) and (m, D)."""
    n, m = len(x), len(y)
    rows = np.concatenate([x, y])
    kernel = _kernel(rows, rows)
    within_x, within_y = _others(kernel[:n, :n]), _others(kernel[n:, n:])
    between = kernel[:n, n:]
    xx, yy, xy = within_x.sum(), within_y.sum(), between.sum()
    value = xx / (n * (n - 1)) + yy / (m * (m - 1)) - 2 * xy / (n * m)
    less_x = (xx - 2 * within_x) / ((n - 1) * (n - 2)) - 2 * (xy - between.sum(axis=1)) / ((n - 1) * m)
    less_y = (yy - 2 * within_y) / ((m - 1) * (m - 2)) - 2 * (xy - between.sum(axis=0)) / (n * (m - 1))
    jackknife = (n - 1) * less_x.var() + (m - 1) * less_y.var()
    chance = 2 * (1 / n + 1 / m) ** 2 * _centred_square(kernel)  # of one distribution
    return KernelDistance(float(value), float(np.sqrt(max(jackknife, chance))))


def _of_pairs(x: np.ndarray, y: np.ndarray) -> KernelDistance:
    """The estimate of pairs, (n, D) each: a U-statistic of k(x, x') + k(y, y') - k(x, y') - k(x', y) (Gretton et al.
    2012)."""
    n = len(x)
    core, between = _kernel(x, x), _kernel(x, y)
    core += _kernel(y, y)
    core -= between
    core -= between.T
    others = _others(core)
    total = others.sum()
    jackknife = (n - 1) * ((total - 2 * others) / ((n - 1) * (n - 2))).var()
    chance = 2 / n**2 * _centred_square(core)
    return KernelDistance(float(total / (n * (n - 1))), float(np.sqrt(max(jackknife, chance))))


def _others(kernel: np.ndarray) -> np.ndarray:
    """Sum over each row (N, N) without the diagonal."""
    return kernel.sum(axis=1) - np.diag(kernel)


def _centred_square(kernel: np.ndarray) -> float:
    """Mean square off the diagonal of a kernel (N, N) whose means are taken away."""
    rows, count = kernel.mean(axis=1), len(kernel)
    centred = kernel - rows[:, None]
    centred -= rows
    centred += rows.mean()
    centred **= 2
    return float((centred.sum() - np.diag(centred).sum()) / (count * (count - 1)))
