"""Damage of photographs: where it is (`find.py`). This module stays light."""

SENSITIVITY = 0.5
"""How sensitively damage is looked for by default: it counts from a chance of 1 less this on. 0 would be nothing, 1
all."""
