"""Damage of photographs: where it is (`find.py`). This module stays light."""

from __future__ import annotations

from decimal import Decimal
from numbers import Real

from limner.errors import LimnerError

SENSITIVITY = 0.1
"""How sensitively damage is looked for by default: it counts from a chance of 1 less this on. With 0.2, which finds a
third more, buttons, lapels and the slats of a chair were marked in old photographs."""


def check_sensitivity(sensitivity: float) -> None:
    """Whether there is such a sensitivity.

    Raises:
        LimnerError: it is no number above 0 and below 1.
    """
    if not isinstance(sensitivity, Real) or not 0 < sensitivity < 1:
        raise LimnerError(
            f"The sensitivity is {sensitivity!r}: give a number above 0 and below 1, such as {SENSITIVITY:g}."
        )


def percent(share: float) -> str:
    """A share of a photo in percent, in two digits however small it is: 0.0091, 3.5, 100."""
    return f"{Decimal(f'{100 * share:.2g}'):f}"
