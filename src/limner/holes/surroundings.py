"""Holes outside faces, and the first guess inside them: what lies around goes on."""

from __future__ import annotations

from importlib.util import find_spec

import cv2
import numpy as np
import torch

from limner.nets.smooth_fill import smooth_fill

RADIUS = 3
"""Pixels of the neighbourhood that a pixel is filled from."""
MARGIN = 16
"""Pixels around a hole that are handed over with it."""
THIN, FEW = 6, 20_000
"""Pixels from its edge to its middle up to which a hole is thin, and in all up to which it is filled, if thin, by
scikit-image's biharmonic functions: slower, and of scratches 2 dB nearer to the truth than OpenCV."""
RELAXATIONS = 8
"""Of a large hole's filling, see `smooth_fill`: 32 take four times as long and look alike."""


def filled(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A picture whose holes are filled from their edges inwards: large ones as smoothly as can be, where OpenCV would
    draw streaks, and of another place in each channel, so that they are coloured; thin ones by scikit-image's
    inpainting (Damelin and Hoang 2018) where that is installed, else by OpenCV's (Bertalmio et al. 2001).

    Args:
        pixels: (H, W, 3) uint8 or uint16, in any colour space.
        mask: (H, W) uint8, 255 in holes, 0 elsewhere; not all of it.

    Returns:
        A copy, the same outside the holes.
    """
    result = pixels.copy()
    joined = cv2.dilate(mask, np.ones((2 * RADIUS + 1,) * 2, np.uint8))  # what would see one another is filled as one
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(joined)
    for label, (x, y, width, height, _) in enumerate(boxes[1:count].tolist(), 1):  # the first is all that is no hole
        around = np.s_[max(y - MARGIN, 0) : y + height + MARGIN, max(x - MARGIN, 0) : x + width + MARGIN]
        part, every = pixels[around], mask[around] > 0
        own = every & (labels[around] == label)
        if not _is_thin(own):
            result[around][own] = _smooth(part, every)[own]
        elif own.sum() <= FEW and find_spec("skimage"):
            result[around][own] = _biharmonic(part, own)[own]
        else:
            result[around][own] = _opencv(part, own)[own]
    return result


def _is_thin(hole: np.ndarray) -> bool:
    return bool(cv2.distanceTransform(np.pad(hole, 1).astype(np.uint8), cv2.DIST_L2, 3).max() <= THIN)


@torch.no_grad()
def _smooth(part: np.ndarray, hole: np.ndarray) -> np.ndarray:
    holes = torch.from_numpy(hole.astype(np.float32))[None, None]
    planes = (torch.from_numpy(part[..., n].astype(np.float32))[None, None] for n in range(3))  # one needs less memory
    whole = [smooth_fill(plane, holes, RELAXATIONS)[0, 0].numpy() for plane in planes]
    return np.rint(np.dstack(whole)).astype(part.dtype)


def _biharmonic(part: np.ndarray, hole: np.ndarray) -> np.ndarray:
    from skimage.restoration import inpaint_biharmonic  # an extra, and slow to import

    peak = np.iinfo(part.dtype).max
    whole = inpaint_biharmonic(part / peak, hole, channel_axis=-1, split_into_regions=True)
    return np.rint(np.clip(whole, 0, 1) * peak).astype(part.dtype)


def _opencv(part: np.ndarray, hole: np.ndarray) -> np.ndarray:
    part, holes = np.ascontiguousarray(part), hole.astype(np.uint8)
    if part.dtype == np.uint8:
        return cv2.inpaint(part, holes, RADIUS, cv2.INPAINT_NS)
    channels = [cv2.inpaint(np.ascontiguousarray(part[..., n]), holes, RADIUS, cv2.INPAINT_NS) for n in range(3)]
    return np.dstack(channels)  # of 16 bits OpenCV takes one channel at a time
