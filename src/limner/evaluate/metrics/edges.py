"""How sharp the true edges of a face are in the restored one."""

from __future__ import annotations

import cv2
import numpy as np

from limner.errors import LimnerError
from limner.evaluate.metrics.pictures import check_pictures, fine_luma

SHARE = 0.05
"""Of the truth's pixels, those of steepest slope are its edges."""
FAINTEST = 2.0
"""Slope in grey levels per px below which nothing is an edge."""
REACH = 3
"""px across an edge, to both sides, in which its slope is looked for: a restored edge may lie a little aside."""
SIGMA = 0.8
"""Of the smoothing, in px, that keeps grain from passing for slope."""


def edge_sharpness(restored: np.ndarray, truth: np.ndarray) -> float:
    """Slope of the restored face across the truth's edges over that of the truth.

    The truth's edges are the 5 % of its pixels where the luma, smoothed by a Gaussian of .8 px, is steepest. From each,
    up to 3 px along the truth's gradient to both sides, the steepest slope in that direction is taken; their sum is
    divided by the truth's. 0 upwards: 1 is best, below it edges are soft, above it they are oversharpened.

    Raises:
        LimnerError: see `check_pictures`; a side has less than 16 px; or the truth has no edges.
    """
    check_pictures(restored, truth, least=16)
    x, y = _gradient(truth)
    steepness = np.hypot(x, y)
    limit = max(float(np.quantile(steepness, 1 - SHARE)), FAINTEST)
    rows, columns = np.nonzero(steepness >= limit)
    if not len(rows):
        raise LimnerError("The truth has no edges whose sharpness could be measured: leave it out.")
    along = np.stack([x[rows, columns], y[rows, columns]]) / steepness[rows, columns]
    steps = np.arange(-REACH, REACH + 1, dtype=np.float32)[:, None]
    at = ((columns + steps * along[0]).astype(np.float32), (rows + steps * along[1]).astype(np.float32))

    def slopes(gradient: tuple[np.ndarray, np.ndarray]) -> float:
        seen = [_sampled(part, at) for part in gradient]
        return float(np.maximum(seen[0] * along[0] + seen[1] * along[1], 0).max(axis=0).sum(dtype=np.float64))

    return slopes(_gradient(restored)) / slopes((x, y))


def _gradient(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slope of the smoothed luma to the right and downwards, grey levels per px, (H, W) float32 each."""
    image = cv2.GaussianBlur(fine_luma(picture), (0, 0), SIGMA)
    return cv2.Sobel(image, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(image, cv2.CV_32F, 0, 1, scale=1 / 8)


def _sampled(image: np.ndarray, at: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """An image at places between pixels: columns and rows, (S, N) each, to (S, N). Places by the ten thousand, which
    OpenCV takes as a picture of at most 32,767 px a side."""
    parts = [
        cv2.remap(
            image,
            at[0][:, begin : begin + 16384],
            at[1][:, begin : begin + 16384],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        for begin in range(0, at[0].shape[1], 16384)
    ]
    return np.concatenate(parts, axis=1)
