"""How much fine detail a restored face has beside the true one: in all, and octave by octave."""

from __future__ import annotations

import cv2
import numpy as np

from limner.evaluate.metrics.pictures import check_pictures, fine_luma

OCTAVES = 4
"""Bands that `detail_by_band` tells apart, in whose coarsest a wave is 16 to 32 px long."""


def laplacian_variance(image: np.ndarray) -> float:
    """Variance of the Laplacian of the luminance: how much fine detail there is, true or invented.

    Raises:
        LimnerError: see `check_pictures`.
    """
    check_pictures(image)
    return float(cv2.Laplacian(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())


def detail_ratio(restored: np.ndarray, truth: np.ndarray) -> float:
    """Laplacian variance of the restored face over the truth's: 0 upwards, below 1 too smooth, above 1 too busy.

    Raises:
        LimnerError: see `check_pictures`.
    """
    check_pictures(restored, truth)
    return laplacian_variance(restored) / max(laplacian_variance(truth), 1e-9)


def octaves(image: np.ndarray, count: int) -> list[np.ndarray]:
    """The finest bands of the luma's (BT.601) Laplacian pyramid (Burt & Adelson 1983), in grey levels: float32 of
    (H, W), (H/2, W/2) and so on, halves rounded up."""
    bands = []
    level = fine_luma(image)
    for _ in range(count):
        coarser = cv2.pyrDown(level)
        bands.append(level - cv2.pyrUp(coarser, dstsize=level.shape[::-1]))
        level = coarser
    return bands


def detail_by_band(restored: np.ndarray, truth: np.ndarray) -> tuple[float, ...]:
    """Variance of each of the four finest octaves of the Laplacian pyramid over that of the truth's, finest first.

    0 upwards, 1 is best: below it too smooth, above it too busy. Grain lies in the finest octave and fills no other,
    so it can't pass for the detail that is lacking there. About two, four, eight and sixteen px a wave and upwards.

    Raises:
        LimnerError: see `check_pictures`; or a side has less than 32 px.
    """
    check_pictures(restored, truth, least=2 ** (OCTAVES + 1))
    pairs = zip(octaves(restored, OCTAVES), octaves(truth, OCTAVES), strict=True)
    return tuple(_variance(band) / max(_variance(true), 1e-9) for band, true in pairs)


def detail_of_top_octaves(restored: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """How much fine detail a restored face has, and how much of it is the truth's.

    Returns:
        detail: variance of the two finest bands, summed, over the truth's: below 1 too smooth, above 1 too busy.
        true_detail: the same of their projections onto the truth's bands alone, so that what is invented counts for
            nothing; a band that runs against the truth counts 0.

    Raises:
        LimnerError: see `check_pictures`.
    """
    check_pictures(restored, truth)
    present = agreeing = there = 0.0
    for band, true in zip(octaves(restored, 2), octaves(truth, 2), strict=True):
        band, true = band.astype(np.float64) - band.mean(), true.astype(np.float64) - true.mean()
        energy = float((true * true).mean())
        present += float((band * band).mean())
        agreeing += max(float((band * true).mean()), 0.0) ** 2 / max(energy, 1e-9)
        there += energy
    return present / max(there, 1e-9), agreeing / max(there, 1e-9)


def _variance(band: np.ndarray) -> float:
    return float(band.astype(np.float64).var())
