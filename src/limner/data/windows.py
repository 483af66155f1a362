"""A stream of windows of photographs at their own resolution, clean and as scanners and cameras leave them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from limner.data.faces import FaceSet, read_picture
from limner.degrade.degrade import apply, draw, truth
from limner.degrade.print_wear import SEPIA
from limner.degrade.scan_wear import Scan, apply_scan, draw_camera, draw_scan
from limner.pixels import to_tensor, without_colour

SIZES = (0.5, 1.0, 2.0)
"""Half of the photographs are shown at these sizes of their own, which `limner benchmark --protocol harm` measures."""
DETAILED = 384
"""Pixels of a side, from which on a face is worth showing at its own size."""
MILD = "mild"
"""What most photographs are spoiled by: a camera or a scan."""
CAMERA = 0.45
"""Share of those that a camera wrote (`draw_camera`). With scans alone the cleaner left the blocks of plain files where
they were."""
CAMERA_SMALL = 0.7
"""Likewise, of photographs that are to be enlarged: what is small was mostly made so for a screen."""
WORSE = {"ffhq-ref-moderate": 0.08, "old-print": 0.05}
"""Presets of `degrade.py` that photographs are spoiled by instead, and how often: the cleaner meets such photographs
too. Noise that was enlarged with the picture it learns there to tell from soft detail."""
REDUCED = (0.3, 0.75)
"""Of its own size, a large window's photograph: at full size most are softer than what is to be learned."""
BLURRED, AREAS = 0.5, 0.7
"""How often a large window is blurred before it is made small, and how often that is done by areas."""


@dataclass
class Windows:
    """Sample n is {"lq", "image"} in [0, 1]: of one photograph a spoilt window, (3, S, S), and the clean one, of that
    size or larger; every file of the list once an epoch.

    Attributes:
        files: photographs, decoded when asked for.
        size: side S of the spoilt window.
        seed: of order, place and damage.
        cut_out: what makes of a photograph, a size and a generator the clean and the spoilt window: `window` or
            `large_and_small`.
    """

    files: list[Path]
    size: int
    seed: int
    cut_out: Callable[[np.ndarray, int, np.random.Generator], tuple[np.ndarray, np.ndarray]]

    def __getitem__(self, n: int) -> dict[str, torch.Tensor]:
        epoch, place = divmod(n, len(self.files))
        order = np.random.default_rng((self.seed, 0, epoch)).permutation(len(self.files))
        generator = np.random.default_rng((self.seed, 1, n))
        clean, spoilt = self.cut_out(read_picture(self.files[order[place]]), self.size, generator)
        return {"lq": to_tensor(spoilt), "image": to_tensor(clean)}


def photographs(faces: FaceSet, others: Path | None) -> list[Path]:
    """The files of faces whose side is `DETAILED` or more, and every JPEG of a folder of other photographs."""
    with_detail = [faces.folder / file for file, side in zip(faces.files, faces.sides, strict=True) if side >= DETAILED]
    return with_detail + (sorted(others.glob("*.jpg")) if others else [])


def window(photo: np.ndarray, size: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A window of a photograph, (size, size, 3) uint8, clean and spoilt; the photo is turned, mirrored, resized and
    toned at random."""
    least = (size + 1) / min(photo.shape[:2])
    chosen = generator.choice(SIZES) if generator.random() < 0.5 else np.exp(generator.uniform(np.log(0.4), np.log(2)))
    factor = max(float(chosen), least)
    kind = generator.choice([*WORSE, MILD], p=[*WORSE.values(), 1 - sum(WORSE.values())])
    if kind != MILD:
        photo = resized(photo, factor)
        degradation = draw(kind, generator, photo.shape[1], photo.shape[0])
        clean, spoilt = cut([truth(photo, degradation), apply(photo, degradation)], size, generator)
    else:
        clean = toned(photo, factor, size, generator)
        spoilt = apply_scan(clean, drawn(generator, CAMERA))
    return turned(clean, spoilt, generator)


def large_and_small(photo: np.ndarray, size: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A window of a photograph, clean, (2 size, 2 size, 3) uint8, and half as large as a camera or a scanner left it;
    the photo is turned, mirrored, reduced and toned at random."""
    factor = max(float(np.exp(generator.uniform(*np.log(REDUCED)))), (2 * size + 1) / min(photo.shape[:2]))
    large = toned(photo, factor, 2 * size, generator)
    spread = generator.uniform(0.2, 1.2)
    seen = cv2.GaussianBlur(large, (0, 0), spread) if generator.random() < BLURRED else large
    way = cv2.INTER_AREA if generator.random() < AREAS else cv2.INTER_CUBIC
    small = apply_scan(cv2.resize(seen, (size, size), interpolation=way), drawn(generator, CAMERA_SMALL))
    return turned(large, small, generator)


def drawn(generator: np.random.Generator, camera: float) -> Scan:
    """What happened to a photograph at its own resolution; `camera` is the share of those that a camera wrote."""
    return draw_camera(generator) if generator.random() < camera else draw_scan(generator)


def toned(photo: np.ndarray, factor: float, size: int, generator: np.random.Generator) -> np.ndarray:
    """A clean window, (size, size, 3) uint8, of a photo `factor` times as large; some are grey, some of them sepia."""
    side = min(int(np.ceil(size / factor)) + 2, *photo.shape[:2])  # no more is resized than the window shows
    (part,) = cut([photo], side, generator)
    (clean,) = cut([resized(part, factor)], size, generator)
    if (tone := generator.random()) < 0.25:
        clean = without_colour(clean)
        if tone < 0.1:
            clean = np.rint(clean * (1 + generator.uniform(0.2, 1) * (SEPIA - 1))).clip(0, 255).astype(np.uint8)
    return clean


def turned(one: np.ndarray, other: np.ndarray, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two pictures by the same quarter turns, and mirrored or not."""
    turn, mirror = int(generator.integers(4)), generator.random() < 0.5
    step = -1 if mirror else 1
    return np.rot90(one, turn)[:, ::step], np.rot90(other, turn)[:, ::step]


def resized(photo: np.ndarray, factor: float) -> np.ndarray:
    """A photograph, (H, W, 3) uint8, `factor` times as large."""
    height, width = photo.shape[:2]
    if factor == 1:
        return photo
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_LANCZOS4
    return cv2.resize(photo, (int(np.ceil(width * factor)), int(np.ceil(height * factor))), interpolation=way)


def cut(pictures: list[np.ndarray], size: int, generator: np.random.Generator) -> list[np.ndarray]:
    """The same square of several pictures, at random."""
    top, left = (int(generator.integers(length - size + 1)) for length in pictures[0].shape[:2])
    return [picture[top : top + size, left : left + size] for picture in pictures]
