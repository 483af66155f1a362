"""Statistics of natural scenes (Mittal et al. 2012): what NIQE describes a patch by.

A photograph's luma, less its local mean and divided by its local deviation, is nearly Gaussian, and so are the products
of neighbours, a little askew. Blur, grain and blocks change the shapes of both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from PIL import Image

LENGTH = 36
"""Numbers that a patch becomes: 18 at each of two scales."""
WINDOW, SIGMA = 7, 7 / 6
"""Side in px and deviation of the Gaussian window of the local mean and deviation."""
NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))
"""Steps down and to the right to the neighbours of which products are taken."""


@dataclass(frozen=True)
class Asymmetric:
    """Asymmetric generalised Gaussians, fitted by their moments (Lasmar et al. 2009), one of each patch.

    Attributes:
        shape: alpha: 2 for a Gaussian, 1 for a Laplacian.
        mean: eta.
        left, right: scales of the two sides, beta.
    """

    shape: np.ndarray
    mean: np.ndarray
    left: np.ndarray
    right: np.ndarray


def patch_features(luma: np.ndarray, patch: int) -> tuple[np.ndarray, np.ndarray]:
    """What each patch of a picture is described by.

    Args:
        luma: (H, W) float32, 0 to 255.
        patch: side in px, even; patches don't overlap, and what fills none is left out.

    Returns:
        features (N, 36), not finite where a patch is flat, and the patches' sharpness (N,): the mean local deviation.
    """
    height, width = (side // patch * patch for side in luma.shape)
    level = luma[:height, :width].astype(np.float64)
    features, sharpness = [], []
    for side in (patch, patch // 2):
        normalised, deviation = contrast_normalised(level)
        features.append(_described(normalised, side))
        sharpness.append(patches(deviation, side).mean(axis=1))
        level = halved(level)
    return np.concatenate(features, axis=1), sharpness[0]


def contrast_normalised(luma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(I - m) / (s + 1) with the local mean m and deviation s (MSCN), and s; (H, W) float64 each."""

    def blur(image: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(image, (WINDOW, WINDOW), SIGMA, borderType=cv2.BORDER_REPLICATE)

    mean = blur(luma)
    deviation = np.sqrt(np.abs(blur(luma * luma) - mean * mean))
    return (luma - mean) / (deviation + 1), deviation


def halved(luma: np.ndarray) -> np.ndarray:
    """Half the size, bicubic and antialiased, as the published model has it."""
    height, width = luma.shape
    smaller = Image.fromarray(luma.astype(np.float32)).resize((width // 2, height // 2), Image.Resampling.BICUBIC)
    return np.asarray(smaller, np.float64)


def patches(image: np.ndarray, side: int) -> np.ndarray:
    """An image (H, W) of whole patches, row by row: (N, side * side)."""
    rows, columns = (length // side for length in image.shape)
    return image.reshape(rows, side, columns, side).swapaxes(1, 2).reshape(-1, side * side)


def asymmetric(values: np.ndarray) -> Asymmetric:
    """Fits each row of (N, K); what has values on one side alone, or none, gives numbers that aren't finite."""
    shapes, ratios = _table()
    squares = values**2
    below, above = values < 0, values > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        left = np.sqrt((squares * below).sum(axis=1) / below.sum(axis=1))
        right = np.sqrt((squares * above).sum(axis=1) / above.sum(axis=1))
        skew = left / right
        ratio = np.abs(values).mean(axis=1) ** 2 / squares.mean(axis=1)
        ratio = ratio * (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
    known = np.isfinite(ratio)
    nearest = np.interp(np.where(known, ratio, 0), ratios, np.arange(len(ratios)))
    shape = shapes[np.rint(nearest).astype(int)]
    gammas = np.array([[math.gamma(n / one) for n in (1, 2, 3)] for one in shape])
    scale = np.where(known, np.sqrt(gammas[:, 0] / gammas[:, 2]), np.nan)
    left, right = left * scale, right * scale
    return Asymmetric(shape, (right - left) * gammas[:, 1] / gammas[:, 0], left, right)


def _described(normalised: np.ndarray, side: int) -> np.ndarray:
    """Of each patch at one scale, (N, 18): shape and mean scale of its values, and shape, mean and both scales of the
    products of neighbours in four directions."""
    own = asymmetric(patches(normalised, side))
    columns = [own.shape, (own.left + own.right) / 2]
    for down, right in NEIGHBOURS:
        # the patch's own border wraps around, as it does in the published model
        blocks = patches(normalised, side).reshape(-1, side, side)
        product = blocks * np.roll(blocks, (down, right), axis=(1, 2))
        found = asymmetric(product.reshape(len(blocks), -1))
        columns += [found.shape, found.mean, found.left, found.right]
    return np.stack(columns, axis=1)


@cache
def _table() -> tuple[np.ndarray, np.ndarray]:
    """Shapes alpha, and the squared first over the second absolute moment of each: G(2/a)^2 / (G(1/a) G(3/a))."""
    shapes = np.arange(0.2, 10.0005, 0.001)
    ratios = [math.gamma(2 / one) ** 2 / (math.gamma(1 / one) * math.gamma(3 / one)) for one in shapes]
    return shapes, np.array(ratios)
