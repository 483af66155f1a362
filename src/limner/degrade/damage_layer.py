"""What one kind of damage leaves on a print: a layer over the picture, and the means by which layers are drawn."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

FINE = 2
"""Lines are drawn so many times larger and shrunk, so that a width may be half a pixel."""
BLUNT = 1.44
"""By so many pixels OpenCV's smooth lines of even width are wider than they should be; odd ones by another."""
LONGEST = 400
"""Corners of one line at most."""


@dataclass(frozen=True, eq=False)
class Layer:
    """Damage of one kind.

    Args:
        cover: (H, W) float32, 0 (the print as it was) to 1 (nothing of it is left).
        colour: of what is there instead, RGB in [0, 1], (3,) or (H, W, 3).
        tints: whether `colour` multiplies the print, as a stain does, instead of covering it.
        counts: whether it is damage to be found; the shading beside a fold isn't.
    """

    cover: np.ndarray
    colour: np.ndarray
    tints: bool = False
    counts: bool = True

    def over(self, image: np.ndarray) -> np.ndarray:
        """The picture, (H, W, 3) float32 in [0, 1], with this layer on it."""
        cover = self.cover[..., None]
        return image + cover * ((image * self.colour if self.tints else self.colour) - image)


def grey(value: float, warmth: float = 0.0) -> np.ndarray:
    """A colour, (3,) float32: a grey from 0 to 1, yellowed by a warmth from 0 to 1."""
    return np.float32(value) * (1 + np.float32(warmth) * np.array([0.0, -0.06, -0.2], np.float32))


def paper_or_dirt(rng: np.random.Generator, light: float = 0.7) -> np.ndarray:
    """The colour of bare paper, of which a share `light` is, or of dirt, (3,) float32."""
    if rng.random() < light:
        return grey(rng.uniform(0.72, 1), rng.uniform(0, 1) if rng.random() < 0.5 else 0)
    return grey(rng.uniform(0, 0.3), rng.uniform(0, 1))


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def clouds(height: int, width: int, cell: float, rng: np.random.Generator, octaves: int = 1) -> np.ndarray:
    """Smooth noise of deviation about 1 and mean 0, (height, width) float32.

    Args:
        height, width: in pixels.
        cell: side in pixels of what is about equal.
        rng: draws it.
        octaves: layers of noise, each half as large and half as strong as the one before.
    """
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        side = max(cell / 2**octave, 1.0)
        coarse = rng.standard_normal((int(height / side) + 3, int(width / side) + 3)).astype(np.float32)
        y, x = rng.uniform(0, 1, 2)
        place = np.array([[1 / side, 0, x], [0, 1 / side, y]], np.float32)
        way = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        noise = cv2.warpAffine(coarse, place, (width, height), flags=way, borderMode=cv2.BORDER_REFLECT)
        total += noise * np.float32(0.5**octave)
    return total


def drawn(height: int, width: int, lines: list[tuple[np.ndarray, float]]) -> np.ndarray:
    """Lines as a cover, (height, width) float32; one thinner than a pixel covers part of it.

    Args:
        height, width: in pixels.
        lines: corners (n, 2), x and y in pixels, and a width in pixels each.
    """
    canvas = np.zeros((height * FINE, width * FINE), np.uint8)
    for points, wide in lines:
        thick = wide * FINE - BLUNT
        strength = round(255 * min(wide * FINE / (1 + BLUNT), 1.0))
        fixed = np.rint(points * FINE * 16).astype(np.int32)[:, None]
        cv2.polylines(canvas, [fixed], False, strength, max(2 * round(thick / 2), 1), cv2.LINE_AA, 4)
    return cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def filled(height: int, width: int, outlines: list[np.ndarray]) -> np.ndarray:
    """Closed outlines, (n, 2) each in pixels, as a cover, (height, width) float32."""
    canvas = np.zeros((height * FINE, width * FINE), np.uint8)
    for outline in outlines:
        cv2.fillPoly(canvas, [np.rint(outline * FINE * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def wandering(
    start: np.ndarray, angle: float, length: float, bend: float, tremble: float, rng: np.random.Generator
) -> np.ndarray:
    """A line, (n, 2).

    Args:
        start: x and y in pixels.
        angle: at its beginning, in radians.
        length: in pixels.
        bend: by how much it turns in all, in radians.
        tremble: by how much each corner turns at random, in radians.
        rng: draws it.
    """
    count = int(np.clip(length / 3, 3, LONGEST))
    turns = angle + np.linspace(0, bend, count) + np.cumsum(rng.normal(0, tremble, count))
    steps = np.stack([np.cos(turns), np.sin(turns)], axis=1) * length / count
    return start + np.vstack([np.zeros((1, 2)), np.cumsum(steps, axis=0)])


def outline(centre: np.ndarray, radius: float, rough: float, rng: np.random.Generator) -> np.ndarray:
    """The rim of a blot, (48, 2): a long or round one whose radius varies by `rough` parts of itself."""
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    far = np.ones(48)
    for wave in range(2, 9):
        far += rough / np.sqrt(wave) * rng.normal(0, 0.6) * np.cos(wave * angles + rng.uniform(0, 2 * np.pi))
    stretch, turn = log_uniform(rng, 0.5, 1), rng.uniform(0, np.pi)
    round_ = np.stack([np.cos(angles), stretch * np.sin(angles)], axis=1) * np.clip(far, 0.3, 2)[:, None] * radius
    return centre + round_ @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])


def soft(cover: np.ndarray, sigma: float) -> np.ndarray:
    """A cover with blurred edges; a sigma below a quarter of a pixel leaves it."""
    return cover if sigma < 0.25 else cv2.GaussianBlur(cover, (0, 0), sigma)
