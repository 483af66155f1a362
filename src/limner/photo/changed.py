"""A change that was made to what a photo shows, in the photo's own colour space and depth."""

from __future__ import annotations

import numpy as np

from limner.photo.photo import Photo


def changed(photo: Photo, native: np.ndarray, shown: np.ndarray, srgb: np.ndarray) -> np.ndarray:
    """A part of a photo in its own colour space: its values, less what they show in sRGB, plus what they shall show.

    Where nothing changes the photo's own values come back, though they be finer than sRGB's 8 bits or outside it.

    Args:
        photo: whose colour space it is.
        native: (h, w, 3) float32 in [0, 1], the part as the photo has it.
        shown: likewise, as `Photo.srgb` shows it.
        srgb: likewise, what it shall show.

    Returns:
        (h, w, 3) float32 in [0, 1].
    """
    return np.clip(native + photo.from_srgb(srgb) - photo.from_srgb(shown), 0, 1)
