"""How near a restored face comes to the true one, pixel by pixel and window by window."""

from __future__ import annotations

import cv2
import numpy as np

from limner.evaluate.metrics.pictures import Luma, check_pictures, luma

WINDOW = 11
"""Side in px of SSIM's Gaussian window."""
SIGMA = 1.5
"""Of that window, in px."""


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio over RGB: 10 log10(255^2 / mean squared error), no border cropped.

    In dB, 0 upwards, higher is better; infinite for equal pictures. Variant: RGB, as pyiqa's `psnr` (with `test_y`
    off) and BasicSR's without "Y".

    Raises:
        LimnerError: see `check_pictures`.
    """
    check_pictures(a, b)
    return _ratio(a.astype(np.float64), b.astype(np.float64))


def psnr_y(a: np.ndarray, b: np.ndarray, kind: Luma = "studio") -> float:
    """Peak signal-to-noise ratio of the BT.601 luma against a peak of 255, no border cropped.

    In dB, 0 upwards, higher is better; infinite for pictures of equal luma. Variants: `studio` luma (16 to 235,
    unrounded), which papers print as "PSNR (Y)" and which lies about 1.3 dB above that of the `full` range.

    Raises:
        LimnerError: see `check_pictures`.
    """
    check_pictures(a, b)
    return _ratio(luma(a, kind), luma(b, kind))


def ssim(a: np.ndarray, b: np.ndarray, kind: Luma = "full") -> float:
    """Structural similarity of the luma (Wang et al. 2004): the mean over windows of
    (2 m_a m_b + c1) (2 s_ab + c2) / ((m_a^2 + m_b^2 + c1) (s_a^2 + s_b^2 + c2)), c1 = (.01 255)^2, c2 = (.03 255)^2.

    -1 to 1, higher is better, 1 for equal pictures. Variants: Gaussian window of 11 x 11 px and sigma 1.5, population
    covariance, windows within the picture only; BT.601 luma of the `full` range, rounded, or `studio`, as BasicSR and
    pyiqa have it.

    Raises:
        LimnerError: see `check_pictures`; or a side has less than 11 px.
    """
    check_pictures(a, b, least=WINDOW)
    return _similarity(luma(a, kind), luma(b, kind))


def ssim_rgb(a: np.ndarray, b: np.ndarray) -> float:
    """The mean of the three channels' structural similarities (see `ssim`), as the line of BasicSR and GFPGAN computes
    it without "Y".

    Raises:
        LimnerError: see `ssim`.
    """
    check_pictures(a, b, least=WINDOW)
    x, y = a.astype(np.float64), b.astype(np.float64)
    return float(np.mean([_similarity(x[..., channel], y[..., channel]) for channel in range(3)]))


def _ratio(x: np.ndarray, y: np.ndarray) -> float:
    error = np.mean((x - y) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def _similarity(x: np.ndarray, y: np.ndarray) -> float:
    """Structural similarity of two channels, (H, W) float64 of 0 to 255."""
    inner = slice(WINDOW // 2, -(WINDOW // 2))

    def blur(image: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(image, (WINDOW, WINDOW), SIGMA)[inner, inner]

    mean_x, mean_y = blur(x), blur(y)
    var_x, var_y = blur(x * x) - mean_x**2, blur(y * y) - mean_y**2
    covariance = blur(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    similarity = ((2 * mean_x * mean_y + c1) * (2 * covariance + c2)) / (
        (mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)
    )
    return float(similarity.mean())
