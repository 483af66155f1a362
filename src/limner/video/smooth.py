"""A track's landmarks smoothed in time, without lag: a Kalman smoother over all of its sightings.

Each coordinate moves at a velocity that drifts as a random walk, and is seen with noise (Rauch, Tung and Striebel
1965). How much it drifts for its noise is no constant: of several ratios the one is taken under which the track's own
sightings are likeliest, so that a still portrait is held still and a running child isn't held back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_RATIOS = 10.0 ** np.arange(-2, 6.01, 0.5)
"""Variance of the velocity's drift in a second over that of the noise, per square second."""
_ENOUGH = 300
"""Sightings from which the ratio is told."""
_OUTLIER = 4.0
"""Deviations from the smooth way from which a sighting counts as none."""
_UNKNOWN = 1e6
"""Variance of what nobody has seen yet, in units of the noise's."""


@dataclass(frozen=True, eq=False)
class _Filtered:
    """What the way forward leaves for the way back: means (T, 2, C) and covariances (T, 2, 2) after and before each
    sighting, the transitions (T, 2, 2), and how unlikely the sightings were."""

    after: np.ndarray
    after_covariance: np.ndarray
    before: np.ndarray
    before_covariance: np.ndarray
    transitions: np.ndarray
    unlikely: float


def smoothed(times: np.ndarray, seen: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The way of something between and at the times at which it was seen.

    Args:
        times: (T,) seconds, rising.
        seen: (T,) bool, whether there was a sighting.
        values: (T, C) what was seen, all of one noise; any where it wasn't.

    Returns:
        (T, C) float64.
    """
    values, seen = np.where(seen[:, None], values, 0).astype(np.float64), seen.copy()
    if seen.sum() < 3:
        places = np.flatnonzero(seen)
        return np.stack([np.interp(times, times[places], column[places]) for column in values.T], 1)
    way = _best(times, seen, values)
    off = np.linalg.norm(values - way, axis=1)
    usual = 1.4826 * float(np.median(off[seen])) + 1e-9
    outliers = seen & (off > _OUTLIER * usual) & (off > 2.0)  # in pixels: what is hardly off is none
    if outliers.any() and (seen & ~outliers).sum() >= 3:
        way = _best(times, seen & ~outliers, values)
    return way


def _best(times: np.ndarray, seen: np.ndarray, values: np.ndarray) -> np.ndarray:
    start = slice(int(np.flatnonzero(seen)[0]), int(np.flatnonzero(seen)[:_ENOUGH][-1]) + 1)
    unlikely = [_filter(times[start], seen[start], values[start], ratio).unlikely for ratio in _RATIOS]
    return _back(_filter(times, seen, values, float(_RATIOS[int(np.argmin(unlikely))])))


def _filter(times: np.ndarray, seen: np.ndarray, values: np.ndarray, ratio: float) -> _Filtered:
    """The way forward, in units of the noise's variance."""
    count, width = values.shape
    mean, covariance = np.zeros((2, width)), np.diag([_UNKNOWN, _UNKNOWN])
    mean[0] = values[np.flatnonzero(seen)[0]]
    after, before = np.empty((count, 2, width)), np.empty((count, 2, width))
    after_covariance, before_covariance = np.empty((count, 2, 2)), np.empty((count, 2, 2))
    transitions = np.empty((count, 2, 2))
    squares, logs, known = 0.0, 0.0, 0
    for place in range(count):
        step = times[place] - times[place - 1] if place else 0.0
        move = np.array([[1, step], [0, 1]])
        drift = ratio * np.array([[step**3 / 3, step**2 / 2], [step**2 / 2, step]])
        mean, covariance = move @ mean, move @ covariance @ move.T + drift
        transitions[place], before[place], before_covariance[place] = move, mean, covariance
        if seen[place]:
            spread = covariance[0, 0] + 1
            gain = covariance[:, :1] / spread
            wrong = values[place] - mean[0]
            if known >= 2:  # before that nothing is known that could be likely
                squares, logs = squares + float(wrong @ wrong) / spread, logs + width * float(np.log(spread))
            mean, covariance = mean + gain * wrong, covariance - gain @ covariance[:1]
            known += 1
        after[place], after_covariance[place] = mean, covariance
    told = max((known - 2) * width, 1)
    unlikely = told * np.log(max(squares / told, 1e-12)) + logs  # with the noise that makes them likeliest
    return _Filtered(after, after_covariance, before, before_covariance, transitions, float(unlikely))


def _back(way: _Filtered) -> np.ndarray:
    """The way back, (T, C)."""
    mean = way.after[-1]
    smooth = np.empty_like(way.after[:, 0])
    smooth[-1] = mean[0]
    for place in range(len(smooth) - 2, -1, -1):
        inverse = np.linalg.inv(way.before_covariance[place + 1])
        gain = way.after_covariance[place] @ way.transitions[place + 1].T @ inverse
        mean = way.after[place] + gain @ (mean - way.before[place + 1])
        smooth[place] = mean[0]
    return smooth
