"""What the protocol `harm` does to sharp faces before they are restored: nothing, light damage, a preset's."""

from __future__ import annotations

import cv2
import numpy as np

from limner.degrade.degrade import apply, draw
from limner.degrade.degrade import truth as truth_of

NOTHING, NOISE, BLUR = "nothing", "noise 5, JPEG 50", "blur 1 px"
DAMAGES = (NOTHING, NOISE, BLUR, "ffhq-ref-moderate", "ffhq-ref-severe", "old-print")


def damaged(clean: np.ndarray, damage: str, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A face under one of `DAMAGES`, or any preset of `limner.degrade.degrade`: (degraded, what should come back), each
    (S, S, 3) uint8.

    Raises:
        LimnerError: if there is no such damage.
    """
    if damage == NOTHING:
        return clean, clean
    if damage == NOISE:
        return compressed(noisy(clean, 5, generator), 50), clean
    if damage == BLUR:
        return cv2.GaussianBlur(clean, (0, 0), 1), clean
    degradation = draw(damage, generator, clean.shape[1], clean.shape[0])
    return apply(clean, degradation), truth_of(clean, degradation)


def noisy(rgb: np.ndarray, sigma: float, generator: np.random.Generator) -> np.ndarray:
    """(H, W, 3) uint8 with white Gaussian noise of `sigma` grey levels in each channel, clipped and rounded."""
    return np.rint(np.clip(rgb + sigma * generator.standard_normal(rgb.shape), 0, 255)).astype(np.uint8)


def compressed(rgb: np.ndarray, quality: int) -> np.ndarray:
    """(H, W, 3) uint8 through a JPEG of this quality (1 to 100) whose colour has half the resolution."""
    _, encoded = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))[..., ::-1].copy()
