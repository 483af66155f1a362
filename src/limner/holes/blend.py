"""The gradient-domain blend of a filling with what lies around it (Perez, Gangnet and Blake 2003).

A filling that keeps its own gradients and meets its surroundings at the edge is the filling plus a membrane: the smooth
field that is at the edge what the two differ by (their eq. (10)). OpenCV's `seamlessClone` solves the same equation,
but in 8 bits, with a mask that it shrinks, and not at the border of a picture.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch

from limner.nets.smooth_fill import smooth_fill

RELAXATIONS = 32
"""Of the membrane, see `smooth_fill`: a grey level at most lacks then where a filling is off by 25."""

MARGIN = 16
"""Pixels around the mask that the membrane sees: what lies farther away doesn't reach it."""


def blended(filling: np.ndarray, around: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A filling brought to its surroundings, without a seam.

    Args:
        filling: (H, W, 3) float32.
        around: likewise; what it holds under the mask plays no part.
        mask: (H, W) bool, where the filling goes; not everywhere.

    Returns:
        (H, W, 3) float32: `around` as it is outside the mask.
    """
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    near = np.s_[max(y - MARGIN, 0) : y + height + MARGIN, max(x - MARGIN, 0) : x + width + MARGIN]
    edge = membrane((around - filling)[near], mask[near])
    result = around.copy()
    result[near] = np.where(mask[near][..., None], filling[near] + edge, around[near])
    return result


def membrane(edge: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The smoothest field under a mask that goes on from what lies around.

    Args:
        edge: (H, W, C) float32, the field outside the mask.
        mask: (H, W) bool, where it is sought; not everywhere.

    Returns:
        (H, W, C) float32: `edge` outside the mask.
    """
    field = torch.from_numpy(np.where(mask[..., None], 0, edge).astype(np.float32)).permute(2, 0, 1)[None]
    hole = torch.from_numpy(mask.astype(np.float32))[None, None]
    with torch.no_grad():
        return smooth_fill(field, hole, RELAXATIONS)[0].permute(1, 2, 0).numpy()
