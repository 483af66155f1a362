"""Where a photograph is damaged: scratches, cracks, specks, folds, tears, stains.

A small net (`nets/damage.py`) looks at the photo and at copies of it, each half as large as the one before, so that the
broad scratches of a large scan are as narrow to it as those that it learned from. A mask is what `limner damage` writes
and whatever fills holes takes: (H, W) uint8 over the upright photo, 255 for damage.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch

from limner.damage import SENSITIVITY, check_sensitivity
from limner.damage.heads import without_heads
from limner.device import Compute, choose
from limner.nets.damage import DamageNet
from limner.nets.tiles import in_tiles
from limner.photo.photo import Photo, Picture
from limner.pixels import to_tensor
from limner.weights.load import load_net

TILE, OVERLAP = 1024, 96
"""Of a copy that goes through the net at once, in pixels: as far as the net sees, tiles overlap."""
COPIES = 3
SMALLEST_COPY = 300
"""Longer side in pixels below which there is no further copy: the net knows damage of up to a quarter of that."""
FAINTER = 0.7
"""Of the threshold: a mark goes on over pixels that touch it and have this chance at least: through the middle of a
scratch, to the rim of a blot."""
MARGIN = 1000
"""One pixel around all damage is marked as well for so many pixels of the photo's longer side, and at least one: a
filling that begins at the very edge keeps its rim."""


def find_damage(photo: Picture, sensitivity: float = SENSITIVITY, compute: Compute | None = None) -> np.ndarray:
    """Marks the damage of a photograph.

    Args:
        photo: a path, a `Photo`, a picture of Pillow's or an array, as `Photo.of` takes it.
        sensitivity: above 0 (only what is certain) and below 1 (whatever might be).
        compute: where and how the net runs; by default as `limner.device.choose` does.

    Returns:
        (H, W) uint8, upright: 255 where it is damaged, and closely around; 0 elsewhere.

    Raises:
        LimnerError: the sensitivity is no number of its range.
        PhotoError: the photo can't be read, or is none.
    """
    check_sensitivity(sensitivity)
    pixels = Photo.of(photo).srgb()
    compute = compute or choose()
    net = compute.place(load_net("mini/damage", DamageNet)).eval()
    return marked(certain(chances(net, pixels), sensitivity, pixels))


def marked(found: np.ndarray) -> np.ndarray:
    """The mask, (H, W) uint8 of 0 and 255, that damage, (H, W) bool, makes with its margin."""
    wide = 2 * max(1, round(max(found.shape) / MARGIN)) + 1
    mask = np.where(found, np.uint8(255), np.uint8(0))
    return cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (wide, wide)))


def certain(chance: np.ndarray, sensitivity: float, pixels: np.ndarray) -> np.ndarray:
    """Where damage is found, (H, W) bool, without the margin: by two thresholds, as edges in Canny 1986, and not where
    it would hide a head.

    Args:
        chance: of damage, (H, W) in [0, 1].
        sensitivity: see `find_damage`.
        pixels: the photograph, (H, W, 3) uint8.
    """
    threshold = 1 - sensitivity
    _, numbered = cv2.connectedComponents((chance >= FAINTER * threshold).astype(np.uint8), connectivity=8)
    areas = np.asarray(numbered, np.int32)
    begun = np.zeros(areas.max() + 1, bool)
    begun[areas[chance >= threshold]] = True
    begun[0] = False  # what is fainter than both
    return without_heads(np.where(begun[areas], areas, 0), pixels)


@torch.inference_mode()
def chances(net: DamageNet, pixels: np.ndarray) -> np.ndarray:
    """How likely each pixel is damaged: the largest that the net says of it in any copy.

    Args:
        net: placed and in evaluation mode.
        pixels: (H, W, 3) uint8.

    Returns:
        (H, W) float32 in [0, 1].
    """
    height, width = pixels.shape[:2]
    chance, copy = np.zeros((height, width), np.float32), pixels
    for number in range(COPIES):
        if number:
            half = [max(1, round(side / 2)) for side in copy.shape[1::-1]]
            copy = cv2.resize(copy, half, interpolation=cv2.INTER_AREA)
        seen = in_tiles(lambda x: net(x)[:, None], to_tensor(copy)[None].to(net.device), tile=TILE, overlap=OVERLAP)
        likely = seen[0, 0].sigmoid().cpu().numpy()
        chance = np.maximum(chance, cv2.resize(likely, (width, height), interpolation=cv2.INTER_LINEAR))
        if max(copy.shape[:2]) < 2 * SMALLEST_COPY:
            break
    return chance
