"""Where one shot of a clip ends and the next begins: frames that differ far more than their neighbours do."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np

_THUMB = (32, 18)  # pixels across and down: faces that move within it hardly count
_LEAST = 0.07  # mean difference, in parts of white, that a cut makes at least
_TIMES = 4.0  # ... and so many times the usual one of the frames before; half as often that of the last, as in a pan
_STILL = 0.004  # which is at least as much as grain makes
_BEFORE = 12  # frames


class Cuts:
    """Looks at the frames of a clip in their order."""

    def __init__(self) -> None:
        self._last: np.ndarray | None = None
        self._apart: deque[float] = deque(maxlen=_BEFORE)

    def apart(self, rgb: np.ndarray) -> float:
        """How far a frame, (H, W, 3) uint8, lies from the one before, 0 to 1; 0 of the first."""
        thumb = cv2.resize(rgb, _THUMB, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        last, self._last = self._last, thumb
        return 0.0 if last is None else float(np.abs(thumb - last).mean())

    def is_cut(self, apart: float) -> bool:
        """Whether a shot begins with the frame that lies so far from the one before."""
        usual = max(float(np.median(self._apart)), self._apart[-1] / 2) if self._apart else 0.0
        self._apart.append(apart)
        return apart > max(_LEAST, _TIMES * max(usual, _STILL))
