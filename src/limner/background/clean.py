"""Noise, blocks and mild blur off a whole photo."""

from __future__ import annotations

import numpy as np

from limner.faces.join import OVERLAP, TILE, Joiner
from limner.photo.changed import changed
from limner.photo.photo import Photo

STRIP = TILE - 2 * OVERLAP
"""Rows of a photo that are cleaned at once."""


def with_clean_background(photo: Photo, rgb: np.ndarray, joiner: Joiner) -> np.ndarray:
    """Takes noise, blocks and mild blur off a whole photo, a strip after the other, since floats take memory.

    Args:
        photo: to be cleaned; it is not changed.
        rgb: the same, as `Photo.srgb` shows it.
        joiner: whose cleaner is used.

    Returns:
        The pixels, (H, W, 3) of the photo's dtype and in its colour space.
    """
    grey = photo.grey or bool((rgb == rgb[..., :1]).all())
    pixels = photo.pixels.copy()
    for top in range(0, len(rgb), STRIP):
        first, bottom = max(top - OVERLAP, 0), min(top + STRIP, len(rgb))
        seen = rgb[first : bottom + OVERLAP].astype(np.float32) / 255
        inner = slice(top - first, bottom - first)
        cleaned = joiner.clean(seen)[inner]
        if grey:  # the cleaner's colours are nearly, not wholly, without colour
            cleaned = np.repeat(cleaned.mean(axis=2, keepdims=True), 3, axis=2)
        native = pixels[top:bottom].astype(np.float32) / photo.peak
        pixels[top:bottom] = np.rint(changed(photo, native, seen[inner], cleaned) * photo.peak)
    return pixels
