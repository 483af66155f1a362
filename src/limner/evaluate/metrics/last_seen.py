"""What is found of a picture, remembered until another is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np

Found = TypeVar("Found")


class LastSeen(Generic[Found]):
    """A function of a picture that remembers the last one and what it found: a truth is looked at once, however many
    restorations are held against it one after the other.

    Args:
        of: from a picture, (H, W, 3) uint8, to what is found of it; called with one picture at a time, so that what is
            found doesn't hang on what stands beside it.
    """

    def __init__(self, of: Callable[[np.ndarray], Found]):
        self.of = of
        self._last: tuple[np.ndarray, Found] | None = None

    def __call__(self, picture: np.ndarray) -> Found:
        if self._last is None or not np.array_equal(self._last[0], picture):
            self._last = picture.copy(), self.of(picture)
        return self._last[1]
