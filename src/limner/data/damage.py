"""A stream of windows of photographs with damage and its mask, and of windows that only look damaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from limner.data.faces import read_picture
from limner.data.harmless import perhaps_harmless
from limner.data.windows import cut, resized
from limner.degrade.damage import Damaged, damaged, draw_layers
from limner.degrade.damage_layer import log_uniform
from limner.degrade.print_wear import SEPIA
from limner.degrade.scan_wear import Scan, draw_scan
from limner.pixels import to_tensor, without_colour

UNDAMAGED = 0.2
"""Share of windows without any damage."""
OTHERS = 0.35
"""Share of windows that show no face."""


@dataclass
class DamageWindows:
    """Sample n is {"picture": (3, S, S) in [0, 1], "truth" and "care": (S, S)}: a window as it is scanned, 1 where it
    is damaged, and 0 where there is damage that can't be seen.

    Attributes:
        faces: files of photographs of faces, decoded when asked for.
        others: files of other photographs; may be empty.
        size: side S of a window.
        seed: of order, place and damage.
    """

    faces: Sequence[Path]
    others: Sequence[Path]
    size: int
    seed: int

    def __getitem__(self, n: int) -> dict[str, torch.Tensor]:
        rng = np.random.default_rng((self.seed, n))
        files = self.others if self.others and rng.random() < OTHERS else self.faces
        sample = window(read_picture(files[int(rng.integers(len(files)))]), self.size, rng)
        truth, care = (torch.from_numpy(one.astype(np.float32)) for one in (sample.truth, ~sample.doubtful))
        return {"picture": to_tensor(sample.picture), "truth": truth, "care": care}


def window(photo: np.ndarray, size: int, rng: np.random.Generator, damage: bool | None = None) -> Damaged:
    """A window of a photograph, turned, mirrored, resized and toned at random, with its damage.

    Args:
        photo: (H, W, 3) uint8.
        size: side of the window in pixels.
        rng: draws all of it.
        damage: whether there is any; None draws it.
    """
    factor = max(log_uniform(rng, 0.4, 2.5), (size + 1) / min(photo.shape[:2]))
    side = min(int(np.ceil(size / factor)) + 2, *photo.shape[:2])
    (part,) = cut([photo], side, rng)
    (clean,) = cut([resized(part, factor)], size, rng)
    clean = np.rot90(clean, int(rng.integers(4)) if rng.random() < 0.3 else 0)[:, :: 1 if rng.random() < 0.5 else -1]
    return worn(perhaps_harmless(np.ascontiguousarray(clean), rng), rng, damage)


def worn(clean: np.ndarray, rng: np.random.Generator, damage: bool | None = None, scan: Scan | None = None) -> Damaged:
    """A clean picture, (H, W, 3) uint8, in some tone, with its damage and scanned.

    Args:
        clean: the picture.
        rng: draws all of it.
        damage: whether there is any; None draws it.
        scan: what happens to it afterwards; None draws it.
    """
    tone = rng.random()
    if tone < 0.6:
        clean = without_colour(clean)
    if tone < 0.35:
        clean = np.rint(clean * (1 + rng.uniform(0.1, 1) * (SEPIA - 1))).clip(0, 255).astype(np.uint8)
    if rng.random() < 0.3:  # faded
        low, high = rng.uniform(0, 70), rng.uniform(170, 255)
        clean = np.rint(low + clean * ((high - low) / 255)).astype(np.uint8)
    layers = []
    if rng.random() >= UNDAMAGED if damage is None else damage:
        layers = draw_layers(clean.shape[0], clean.shape[1], rng)
    return damaged(clean, layers, draw_scan(rng) if scan is None else scan, grey_scan=rng.random() < 0.4)
