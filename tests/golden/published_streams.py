"""The random numbers of the authors' degradation."""

from __future__ import annotations

import random

import numpy as np


class PublishedStreams:
    """The two global streams of the authors' code (`random` and `numpy.random`), as one explicit generator."""

    def __init__(self, seed: int):
        self.python, self.numpy = random.Random(seed), np.random.RandomState(seed)

    def random(self) -> float:
        return self.python.random()

    def uniform(self, low: float, high: float) -> float:
        return self.numpy.uniform(low, high)

    def standard_normal(self, size: tuple[int, ...]) -> np.ndarray:
        return self.numpy.standard_normal(size)
