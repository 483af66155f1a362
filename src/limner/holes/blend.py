"""The gradient-domain blend of a filling with what lies around it (Perez, Gangnet and Blake 2003).

A filling that keeps its own gradients and meets its surroundings at the edge is the filling plus a membrane: the smooth
field that is at the edge what the two differ by (their eq. (10)). OpenCV's `seamlessClone` solves the same equation,
but in 8 bits, with a mask that it shrinks, and not at the border of a picture.
"""

from __future__ import annotations

import cv2
import numpy as np

RELAXATIONS = 32
"""Of each level of the pyramid. A harmonic field is then met within 2 % of its range: half a grey level where a filling
is off by 25."""
_NEIGHBOURS = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4


def blended(filling: np.ndarray, around: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A filling brought to its surroundings, without a seam.

    Args:
        filling: (H, W, 3) float32.
        around: likewise; what it holds under the mask plays no part.
        mask: (H, W) bool, where the filling goes; not everywhere.

    Returns:
        (H, W, 3) float32: `around` as it is outside the mask.
    """
    return np.where(mask[..., None], filling + membrane(around - filling, mask), around)


def membrane(edge: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Laplace's equation: under a mask a field is the mean of its four neighbours; at a picture's border it goes on
    level. From coarse to fine, so that large holes cost no more than small ones.

    Args:
        edge: (H, W, C) float32, the field outside the mask.
        mask: (H, W) bool, where it is sought; not everywhere.

    Returns:
        (H, W, C) float32: `edge` outside the mask.
    """
    known = (~mask).astype(np.float32)
    field = np.where(mask[..., None], 0, edge).astype(np.float32)
    height, width = mask.shape
    if mask.any() and min(height, width) > 2:
        size = (-(-width // 2), -(-height // 2))
        weight = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
        coarse = cv2.resize(field, size, interpolation=cv2.INTER_AREA) / np.maximum(weight, 1e-6)[..., None]
        coarse = membrane(coarse, weight < 1e-6)
        field = np.where(mask[..., None], cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), field)
    elif mask.any():
        field[mask] = edge[~mask].mean(axis=0) if (~mask).any() else 0
    for _ in range(RELAXATIONS if mask.any() else 0):
        field[mask] = cv2.filter2D(field, -1, _NEIGHBOURS, borderType=cv2.BORDER_REPLICATE)[mask]
    return field
