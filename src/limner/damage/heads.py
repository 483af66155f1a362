"""Faces that a net took for damage: a whole one, pale before dark coats, was a flake to it.

Where a face is found there is no flake or blot on its head that is broader than an eye. Such a mark is none where it
lies mostly on the head; of one that goes on far beyond, a scratch across the face, the broad part is left alone. What
comes from the photo's edge and lies mostly beside the head is a tear.
"""

from __future__ import annotations

import cv2
import numpy as np

from limner.faces.find import Face, find_faces, smallest_found

BROAD = 0.08
"""Half the thickness of a mark on a head from which on it is none, in sides of its face's box."""
AROUND = 2.0
"""How far around the broad part a mark is left alone, in `BROAD`."""
HEAD = 0.65
"""Radius of the head in sides of its face's box, which reaches from brow to chin."""


def without_heads(areas: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Marks without what is too broad for the heads that they lie on.

    Args:
        areas: (H, W) int32, the number of the mark that a pixel belongs to, 0 for none.
        pixels: the photograph, (H, W, 3) uint8, whose faces are found where a mark is broad enough to matter.

    Returns:
        (H, W) bool.
    """
    found = areas > 0
    height, width = areas.shape
    inside = cv2.distanceTransform(found.astype(np.uint8), cv2.DIST_L2, 3)
    if inside.max() <= BROAD * smallest_found(width, height):
        return found
    sizes, torn = np.bincount(areas.ravel()), np.zeros(areas.max() + 1, bool)
    torn[np.concatenate([areas[0], areas[-1], areas[:, 0], areas[:, -1]])] = True
    for face in find_faces(pixels):
        part, head = head_of(face, height, width)
        least, own = BROAD * face.size, areas[part]
        mostly = 2 * np.bincount(own[head], minlength=len(sizes)) > sizes
        core = head & (inside[part] > least) & ~(torn & ~mostly)[own]
        if core.any():
            hidden = np.zeros_like(mostly)
            hidden[own[core]] = True
            found &= ~(hidden & mostly)[areas]
            away = cv2.distanceTransform((~core).astype(np.uint8), cv2.DIST_L2, 3)
            found[part] &= (away > AROUND * least) | ~hidden[own]
    return found


def head_of(face: Face, height: int, width: int) -> tuple[tuple[slice, slice], np.ndarray]:
    """Where a photograph of this size shows the head of a face, however it is turned: the part of the photograph, with
    as much around the head as a mark on it may reach beyond it, and in the part the head, bool."""
    x, y = (face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2
    radius = HEAD * face.size
    reach = radius + (AROUND + 1) * BROAD * face.size
    rows, columns = (
        slice(int(np.clip(at - reach, 0, end)), int(np.clip(at + reach + 1, 0, end)))
        for at, end in ((y, height), (x, width))
    )
    down, across = np.ogrid[rows, columns]
    return (rows, columns), np.hypot(down - y, across - x) < radius
