"""Pictures to measure, and what spoils them ever more."""

from __future__ import annotations

import cv2
import numpy as np
from skimage.data import astronaut

GREY = np.zeros((96, 96), np.uint8)
FLOATS = np.full((96, 96, 3), np.nan)


def face(side: int = 96) -> np.ndarray:
    """A photograph of a face, (side, side, 3) uint8 RGB."""
    crop = np.ascontiguousarray(astronaut()[10:202, 128:320])
    return cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)


def blurred(picture: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(picture, (0, 0), sigma)


def noisy(picture: np.ndarray, sigma: float) -> np.ndarray:
    drawn = np.random.default_rng(1).normal(0, sigma, picture.shape)
    return np.clip(np.rint(picture + drawn), 0, 255).astype(np.uint8)


def compressed(picture: np.ndarray, quality: float) -> np.ndarray:
    _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))[..., ::-1])


RISING = ((blurred, (0.6, 1.2, 2.4)), (noisy, (3, 10, 30)), (compressed, (90, 40, 8)))
"""What spoils a picture, and its strengths from weak to strong."""
