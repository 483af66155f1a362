"""Formulas of what is measured on a restored face and the true one; `metric_registry.py` says which protocol shows
which. Pictures are (H, W, 3) uint8 RGB."""

from __future__ import annotations

import cv2
import numpy as np


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB over RGB, no border cropped; infinite for equal pictures."""
    error = np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Structural similarity of the luminance (BT.601), 11 x 11 Gaussian window of sigma 1.5, valid region only."""
    x, y = (cv2.cvtColor(i, cv2.COLOR_RGB2GRAY).astype(np.float64) for i in (a, b))

    def blur(image: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(image, (11, 11), 1.5)[5:-5, 5:-5]

    mean_x, mean_y = blur(x), blur(y)
    var_x, var_y = blur(x * x) - mean_x**2, blur(y * y) - mean_y**2
    covariance = blur(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    similarity = ((2 * mean_x * mean_y + c1) * (2 * covariance + c2)) / (
        (mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)
    )
    return float(similarity.mean())


def laplacian_variance(image: np.ndarray) -> float:
    """Variance of the Laplacian of the luminance: how much fine detail there is, true or invented."""
    return float(cv2.Laplacian(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())


def detail_ratio(restored: np.ndarray, truth: np.ndarray) -> float:
    """Laplacian variance of the restored face over the truth's: below 1 too smooth, above 1 too busy."""
    return laplacian_variance(restored) / max(laplacian_variance(truth), 1e-9)


def top_octaves(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two finest bands of the luma's (BT.601) Laplacian pyramid, in grey levels: (H, W) and (H/2, W/2) float32,
    halves rounded up."""
    bands = []
    level = cv2.cvtColor(image.astype(np.float32), cv2.COLOR_RGB2GRAY)  # unrounded: rounding would count as detail
    for _ in range(2):
        coarser = cv2.pyrDown(level)
        bands.append(level - cv2.pyrUp(coarser, dstsize=level.shape[::-1]))
        level = coarser
    return bands[0], bands[1]


def detail_of_top_octaves(restored: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """How much fine detail a restored face has, and how much of it is the truth's.

    Returns:
        detail: variance of the two finest bands, summed, over the truth's: below 1 too smooth, above 1 too busy.
        true_detail: the same of their projections onto the truth's bands alone, so that what is invented counts for
            nothing; a band that runs against the truth counts 0.
    """
    present = agreeing = there = 0.0
    for band, true in zip(top_octaves(restored), top_octaves(truth), strict=True):
        band, true = band.astype(np.float64) - band.mean(), true.astype(np.float64) - true.mean()
        energy = float((true * true).mean())
        present += float((band * band).mean())
        agreeing += max(float((band * true).mean()), 0.0) ** 2 / max(energy, 1e-9)
        there += energy
    return present / max(there, 1e-9), agreeing / max(there, 1e-9)
