"""Damage that can be found and filled, drawn on a photograph with the exact mask of where it can be seen.

`print_wear.py` makes prints hard to restore; here each mark is known to the pixel. A picture goes through the same
scan (`scan_wear.py`) with its damage and without, and where the two differ by more than a threshold that rises with the
photo's own texture, the damage can be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from limner.degrade.damage_areas import blots, dust, fingerprints, mould, silvering, stains, tears
from limner.degrade.damage_layer import Layer, log_uniform
from limner.degrade.damage_lines import cracks, folds, hairs, scratches, tide_lines
from limner.degrade.scan_wear import Scan, apply_scan
from limner.pixels import without_colour

KINDS: Mapping[str, tuple[Callable[[int, int, float, np.random.Generator], list[Layer]], float]] = {
    "scratches": (scratches, 0.26),
    "cracks": (cracks, 0.1),
    "hairs": (hairs, 0.1),
    "folds": (folds, 0.09),
    "tide lines": (tide_lines, 0.05),
    "dust": (dust, 0.14),
    "blots": (blots, 0.09),
    "tears": (tears, 0.07),
    "stains": (stains, 0.05),
    "mould": (mould, 0.05),
    "fingerprints": (fingerprints, 0.02),
    "silvering": (silvering, 0.02),
}
"""Every kind of damage and how often it is drawn."""

SEEN = 16.0
"""Grey levels of 255, in the channel that shows it best, by which damage must differ from what was there..."""
OVER_TEXTURE = 1.5
"""... and in deviations of the photo's own detail and noise within about 3 px."""
TOUCHED = 0.05
"""Cover from which on a pixel is no longer clean, whether that can be seen or not."""


@dataclass(frozen=True, eq=False)
class Damaged:
    """A photograph with damage, as it is scanned.

    Args:
        picture: (H, W, 3) uint8.
        truth: (H, W) bool, the damage that can be seen.
        doubtful: (H, W) bool, where there is damage that can't be seen: nothing to be learned or measured there.
    """

    picture: np.ndarray
    truth: np.ndarray
    doubtful: np.ndarray


def draw_layers(
    height: int, width: int, rng: np.random.Generator, kinds: list[str] | None = None, unit: float | None = None
) -> list[Layer]:
    """Damage for a picture of this size.

    Args:
        height, width: in pixels.
        rng: draws it.
        kinds: of `KINDS`; None draws one to four, mostly one or two.
        unit: pixels of a hair's breadth, by which all lengths scale; None draws 0.8 to 2.
    """
    if kinds is None:
        shares = [share for _, share in KINDS.values()]
        kinds = list(
            rng.choice(list(KINDS), 1 + int(rng.integers(0, 5) * rng.random()), p=np.array(shares) / sum(shares))
        )
    unit = log_uniform(rng, 0.8, 2) if unit is None else unit
    return [layer for kind in kinds for layer in KINDS[kind][0](height, width, unit, rng)]


def damaged(clean: np.ndarray, layers: list[Layer], scan: Scan, grey_scan: bool = False) -> Damaged:
    """A photograph with damage and where it can be seen.

    Args:
        clean: (H, W, 3) uint8.
        layers: of its size, the lowest first.
        scan: what happens to it afterwards.
        grey_scan: whether it is scanned without colour.
    """
    worn = bare = clean.astype(np.float32) / 255
    cover = np.zeros(clean.shape[:2], np.float32)
    for layer in layers:
        worn = layer.over(worn)
        if layer.counts:
            cover = np.maximum(cover, layer.cover)
        else:
            bare = layer.over(bare)
    pictures = [np.rint(np.clip(one, 0, 1) * 255).astype(np.uint8) for one in (worn, bare)]
    if grey_scan:
        pictures = [without_colour(one) for one in pictures]
    worn, bare = (apply_scan(one, scan) for one in pictures)
    touched = cv2.dilate(cover, np.ones((3, 3), np.uint8)) > TOUCHED
    truth = seen(worn, bare) & touched
    return Damaged(worn, truth, touched & ~truth)


def seen(worn: np.ndarray, bare: np.ndarray) -> np.ndarray:
    """Where a picture differs visibly from what it was, both (H, W, 3) uint8: (H, W) bool.

    The difference is smoothed by half a pixel, since nobody sees a single pixel's noise.
    """
    difference = cv2.GaussianBlur(worn.astype(np.float32) - bare, (0, 0), 0.5)
    luma = cv2.cvtColor(bare, cv2.COLOR_RGB2GRAY).astype(np.float32)
    around = cv2.GaussianBlur(luma, (0, 0), 3)
    texture = np.sqrt(np.clip(cv2.GaussianBlur(luma * luma, (0, 0), 3) - around * around, 0, None))
    return np.abs(difference).max(axis=2) >= np.maximum(SEEN, OVER_TEXTURE * texture)
