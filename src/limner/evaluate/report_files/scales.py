"""Scales of charts: from figures to places along an axis, and the round figures that are written at it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from limner.evaluate.intervals import Interval

Tick = tuple[float, str]
"""Where it stands and what it says."""
ALIKE = 1e-9
"""Figures that differ by a smaller share of themselves are drawn as one."""


@dataclass(frozen=True)
class Bar:
    """An estimate and its interval along an axis; both ends are the estimate's where there is no interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Scale:
    """An even scale.

    Attributes:
        low, high: figures at its ends.
        start, end: places of its ends.
    """

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def around(cls, low: float, high: float, start: float, end: float) -> Scale:
        """A scale that leaves some room at both ends, also where all figures are alike."""
        alike = high - low <= ALIKE * max(abs(low), abs(high))
        room = (0.05 * abs(high) or 1.0) if alike else 0.06 * (high - low)
        return cls(low - room, high + room, start, end)

    def place(self, value: float) -> float:
        """Where a figure stands."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def bar(self, one: Interval) -> Bar:
        """Where an estimate and its interval stand."""
        return Bar(*(self.place(end if math.isfinite(end) else one.value) for end in (one.value, one.low, one.high)))

    def ticks(self) -> tuple[Tick, ...]:
        """At round figures, two to six of them."""
        step = round_step((self.high - self.low) / 5)
        decimals = max(0, -math.floor(math.log10(step)))
        numbers = range(math.ceil(self.low / step), math.floor(self.high / step) + 1)
        return tuple((self.place(number * step), f"{number * step:.{decimals}f}") for number in numbers)


@dataclass(frozen=True)
class FactorScale:
    """A scale of figures above 0 on which equal factors are equally long; attributes as those of `Scale`."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def around(cls, low: float, high: float, start: float, end: float) -> FactorScale:
        """A scale that leaves some room at both ends."""
        room = max((high / low) ** 0.08, 1.6)
        return cls(low / room, high * room, start, end)

    def place(self, value: float) -> float:
        """Where a figure stands."""
        return self.start + math.log(value / self.low) / math.log(self.high / self.low) * (self.end - self.start)

    def ticks(self) -> tuple[Tick, ...]:
        """At 1, 2 and 5 times powers of ten, or at these alone where they are many."""
        powers = range(math.floor(math.log10(self.low)), math.floor(math.log10(self.high)) + 1)
        factors = (1, 2, 5) if len(powers) < 4 else (1,)
        values = [factor * 10.0**power for power in powers for factor in factors]
        return tuple((self.place(value), f"{value:g}") for value in values if self.low <= value <= self.high)


def round_step(least: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is not below the least."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))
