"""Pictures whose emulsion has flaked off in places, for tests of what finds damage."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np


def flaked(picture: np.ndarray, flakes: Sequence[tuple[int, int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """A picture with ragged white flakes, and where they are, (H, W) bool.

    Args:
        picture: (H, W, 3) uint8.
        flakes: x, y and the mean radius of each, in pixels.
    """
    rng, where = np.random.default_rng(0), np.zeros(picture.shape[:2], np.uint8)
    for x, y, radius in flakes:
        angles, far = np.linspace(0, 2 * np.pi, 24, endpoint=False), radius * rng.uniform(0.6, 1.3, 24)
        rim = np.stack([x + far * np.cos(angles), y + far * np.sin(angles)], axis=1)
        cv2.fillPoly(where, [np.rint(rim).astype(np.int32)], 255)
    made = picture.copy()
    made[where > 0] = (246, 242, 232)
    return made, where > 0
