"""Holes outside faces, and the first guess inside them: OpenCV continues what lies around."""

from __future__ import annotations

import cv2
import numpy as np

RADIUS = 3
"""Pixels of the neighbourhood that a pixel is filled from."""
MARGIN = 16
"""Pixels around a hole that are handed to OpenCV with it."""


def filled(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A picture whose holes are filled from their edges inwards (Telea 2004), by OpenCV.

    Args:
        pixels: (H, W, 3) uint8 or uint16, in any colour space.
        mask: (H, W) uint8, 255 in holes, 0 elsewhere; not all of it.

    Returns:
        A copy, the same outside the holes.
    """
    result = pixels.copy()
    count, _, boxes, _ = cv2.connectedComponentsWithStats(cv2.dilate(mask, np.ones((2 * RADIUS + 1,) * 2, np.uint8)))
    for x, y, width, height, _ in boxes[1:count].tolist():  # the first is all that is no hole
        around = np.s_[max(y - MARGIN, 0) : y + height + MARGIN, max(x - MARGIN, 0) : x + width + MARGIN]
        holes, part = mask[around], result[around]
        whole = _inpainted(part, holes)
        part[holes > 0] = whole[holes > 0]
    return result


def _inpainted(part: np.ndarray, holes: np.ndarray) -> np.ndarray:
    part = np.ascontiguousarray(part)
    if part.dtype == np.uint8:
        return cv2.inpaint(part, holes, RADIUS, cv2.INPAINT_TELEA)
    channels = [cv2.inpaint(np.ascontiguousarray(part[..., n]), holes, RADIUS, cv2.INPAINT_TELEA) for n in range(3)]
    return np.dstack(channels)  # of 16 bits OpenCV takes one channel at a time
