"""Holes as DifFace's paper tears them into faces (docs/methods/difface.md, "Holes"), and faces with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
import torch

from limner.data.pairs import Faces
from limner.pixels import to_tensor

SIDE = 256
"""Of the faces for which the paper states its lengths, in pixels."""


def strokes(size: int, generator: np.random.Generator, widest: int = 104, segments: int = 5) -> np.ndarray:
    """Chains of thick lines, as of a brush: 1 to 6 of them, of 1 to `segments` segments each.

    Args:
        size: side of the mask in pixels.
        generator: of all draws.
        widest: of the lines, in pixels of a face of 256.
        segments: at most in a chain.

    Returns:
        (size, size) uint8, 255 in holes.
    """
    mask, scale = np.zeros((size, size), np.uint8), size / SIDE
    for chain in range(int(generator.integers(1, 7))):
        x, y = generator.integers(0, size, 2).tolist()
        for _ in range(int(generator.integers(1, segments + 1))):
            angle = 0.01 + int(generator.integers(0, 4))
            angle = 2 * np.pi - angle if chain % 2 == 0 else angle
            length = scale * int(generator.integers(10, 210))
            width = max(1, round(scale * int(generator.integers(min(5, widest - 1), widest + 1))))
            there = np.clip([x + length * np.sin(angle), y + length * np.cos(angle)], 0, size).astype(int).tolist()
            cv2.line(mask, (x, y), (there[0], there[1]), 255, width)
            x, y = there
    return mask


def boxes(size: int, generator: np.random.Generator) -> np.ndarray:
    """1 to 4 rectangles, as `strokes`."""
    mask, scale = np.zeros((size, size), np.uint8), size / SIDE
    margin = round(10 * scale)
    for _ in range(int(generator.integers(1, 5))):
        width, height = (max(1, round(scale * int(generator.integers(30, 151)))) for _ in range(2))
        x = int(generator.integers(margin, max(margin, size - margin - width) + 1))
        y = int(generator.integers(margin, max(margin, size - margin - height) + 1))
        mask[y : y + height, x : x + width] = 255
    return mask


def borders(size: int, generator: np.random.Generator) -> np.ndarray:
    """Each side of the picture, half of the time, is missing by 4 to 30 % of its length; at least one, as `strokes`."""
    mask = np.zeros((size, size), np.uint8)
    missing = generator.random(4) < 0.5
    missing[int(generator.integers(4))] |= not missing.any()
    for turns in np.flatnonzero(missing):
        np.rot90(mask, int(turns))[: max(1, round(size * generator.uniform(0.04, 0.3)))] = 255
    return mask


def halves(size: int, generator: np.random.Generator) -> np.ndarray:
    """The upper, lower, left or right half, as `strokes`."""
    mask = np.zeros((size, size), np.uint8)
    np.rot90(mask, int(generator.integers(4)))[: size // 2] = 255
    return mask


def expand(size: int, generator: np.random.Generator) -> np.ndarray:
    """All but the middle, of half the side, as `strokes`."""
    mask = np.full((size, size), 255, np.uint8)
    mask[size // 4 : size - size // 4, size // 4 : size - size // 4] = 0
    return mask


def scratches(size: int, generator: np.random.Generator) -> np.ndarray:
    """Thin strokes, as old photographs have them; limner's own, as `strokes`."""
    return strokes(size, generator, widest=9, segments=2)


KINDS: Mapping[str, Callable[[int, np.random.Generator], np.ndarray]] = {
    "box": boxes,
    "irregular": strokes,
    "expand": expand,
    "half": halves,
}
"""The kinds of the paper's test set, by its names."""
SHOWN = ((strokes, 0.32), (boxes, 0.26), (borders, 0.12), (halves, 0.1), (expand, 0.08), (scratches, 0.12))
"""What the small estimator learns from, and how often."""


class FacesWithHoles(Faces):
    """An endless stream: sample n is {"lq": (3, S, S) with its holes black, "mask": (1, S, S), "image": (3, S, S)}."""

    def __getitem__(self, n: int) -> dict[str, torch.Tensor]:
        image, _, generator = self.picture(n)
        kind = generator.choice(len(SHOWN), p=[share for _, share in SHOWN])
        mask = torch.from_numpy(SHOWN[kind][0](self.size, generator) / np.float32(255))[None]
        whole = to_tensor(image)
        return {"lq": whole * (1 - mask), "mask": mask, "image": whole}
