"""What every metric asks of its pictures, and their luma."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from limner.errors import LimnerError

Luma = Literal["full", "studio"]
"""BT.601 in 0 to 255, rounded, as JPEG has it; or in 16 to 235, unrounded, as BasicSR's "Y" has it."""

_STUDIO = np.array([65.481, 128.553, 24.966]) / 255


def check_pictures(*pictures: np.ndarray, least: int = 1) -> None:
    """Makes sure that pictures can be measured, and against each other.

    Args:
        pictures: should be (H, W, 3) uint8 RGB, all of one size.
        least: px that each side must have.

    Raises:
        LimnerError: one is of another shape or kind of number, or too small, or their sizes differ.
    """
    for picture in pictures:
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise LimnerError(
                f"A metric takes pictures of H x W x 3 {np.dtype(np.uint8)} in RGB, not of "
                f"{_by(picture.shape)} {picture.dtype}: convert grey or other numbers first."
            )
        if min(picture.shape[:2]) < least:
            raise LimnerError(
                f"This metric needs pictures of at least {least} px a side, not of {_size(picture)}: leave them out."
            )
    if len({picture.shape for picture in pictures}) > 1:
        raise LimnerError(
            f"Pictures of different sizes can't be compared ({' and '.join(map(_size, pictures))}): resize one first."
        )


def luma(picture: np.ndarray, kind: Luma = "full") -> np.ndarray:
    """The BT.601 luma of (H, W, 3) uint8 RGB: (H, W) float64."""
    if kind == "studio":
        return 16 + picture.astype(np.float64) @ _STUDIO
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float64)


def fine_luma(picture: np.ndarray) -> np.ndarray:
    """The full-range BT.601 luma, unrounded, since rounding would count as detail: (H, W) float32."""
    return cv2.cvtColor(picture.astype(np.float32), cv2.COLOR_RGB2GRAY)


def _size(picture: np.ndarray) -> str:
    return f"{picture.shape[1]} x {picture.shape[0]} px"


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "a single"
