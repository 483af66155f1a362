"""The source of randomness that degradations are drawn from."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Generator(Protocol):
    """What drawing a degradation asks of a source of randomness: `numpy.random.Generator` has it."""

    def random(self) -> float: ...

    def uniform(self, low: float, high: float) -> float: ...

    def standard_normal(self, size: tuple[int, ...]) -> np.ndarray: ...
