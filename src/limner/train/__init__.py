"""Training: one loop (`loop.py`), and one recipe for each stage of each method."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from limner.errors import LimnerError

if TYPE_CHECKING:
    from limner.train.recipe import Recipe

RECIPES = ("alignnet", "difface-estimator", "difface-prior")


def make_recipe(name: str, data: Path, preset: str = "mini", seed: int = 0) -> Recipe:
    """The recipe of that name.

    Args:
        name: one of `RECIPES`.
        data: folder of aligned faces with its tables.
        preset: `mini`, or `paper` for the published settings.
        seed: of initialisation, data order and noise.

    Raises:
        LimnerError: if there is no such recipe or preset, or the data lacks its tables.
    """
    if name not in RECIPES:
        raise LimnerError(f"There is no recipe '{name}': choose one of {', '.join(RECIPES)}.")
    if preset not in ("mini", "paper"):
        raise LimnerError(f"There is no preset '{preset}': choose mini or paper.")
    if name == "alignnet":
        from limner.train.alignnet import alignnet as recipe
    elif name == "difface-estimator":
        from limner.train.difface_estimator import difface_estimator as recipe
    else:
        from limner.train.difface_prior import difface_prior as recipe
    return recipe(data, preset, seed)  # type: ignore[arg-type]
