"""Damage that is a line: scratches, bundles of them, cracks, hairs, folds, tide lines."""

from __future__ import annotations

import cv2
import numpy as np

from limner.degrade.damage_layer import Layer, clouds, drawn, grey, log_uniform, paper_or_dirt, soft, wandering


def scratches(height: int, width: int, unit: float, rng: np.random.Generator) -> list[Layer]:
    """Straight and curved ones, hair-thin to broad, worn through in places; one to six, or a bundle side by side."""
    size = max(height, width)
    bundle = rng.random() < 0.3
    count = int(rng.integers(3, 12)) if bundle else 1 + int(rng.integers(0, 8) * rng.random())
    angle, lines = _direction(rng), []
    start, length = _somewhere(height, width, rng), log_uniform(rng, 12 * unit, 1.5 * size)
    bend = 0.0 if rng.random() < 0.5 else rng.normal(0, 0.6)
    wide = log_uniform(rng, 0.6, 2.0 if bundle else 9.0) * unit
    for _ in range(count):
        if bundle:
            begin = start + rng.normal(0, 8 * unit, 2)
            points = wandering(begin, angle, length * rng.uniform(0.4, 1), bend, 0.004, rng)
            lines.append((points, wide * rng.uniform(0.6, 1.3)))
        else:
            length, wide = log_uniform(rng, 12 * unit, 1.5 * size), log_uniform(rng, 0.6, 9.0) * unit
            begin, turned = _somewhere(height, width, rng), _direction(rng)
            tremble = 0.01 if rng.random() < 0.7 else 0.1
            points = wandering(begin, turned, length, bend, tremble, rng)
            if wide > 2.5 * unit and rng.random() < 0.6:  # it begins and ends thin
                parts = np.array_split(points, 9)
                lines += [
                    (np.vstack([part, rest[:1]]), wide * np.sin(np.pi * (n + 1) / 10))
                    for n, (part, rest) in enumerate(zip(parts, [*parts[1:], parts[-1][-1:]], strict=True))
                ]
            else:
                lines.append((points, wide))
    cover = drawn(height, width, lines) * rng.uniform(0.35, 1)
    if rng.random() < 0.5:
        cover *= np.clip(1 + 0.6 * clouds(height, width, log_uniform(rng, 4, 30) * unit, rng), 0, 1)
    return [Layer(soft(cover, rng.uniform(0, 0.7) * unit), paper_or_dirt(rng, 0.75))]


def cracks(height: int, width: int, unit: float, rng: np.random.Generator) -> list[Layer]:
    """Lines with corners that branch; glass plates, varnish and brittle paper have them."""
    lines: list[tuple[np.ndarray, float]] = []
    wide = log_uniform(rng, 0.7, 4) * unit

    def grow(start: np.ndarray, angle: float, length: float, thick: float, depth: int) -> None:
        points = wandering(start, angle, length, rng.normal(0, 0.3), 0.3, rng)
        lines.append((points, thick))
        for _ in range(int(rng.integers(1, 4)) if depth else 0):
            place = points[int(rng.integers(1, len(points)))]
            aside = angle + rng.choice([-1, 1]) * rng.uniform(0.4, 1.5)
            grow(place, aside, length * rng.uniform(0.2, 0.7), max(thick * rng.uniform(0.5, 0.9), 0.6), depth - 1)

    for _ in range(int(rng.integers(1, 3))):
        length = log_uniform(rng, 20 * unit, 1.2 * max(height, width))
        grow(_somewhere(height, width, rng), rng.uniform(0, 2 * np.pi), length, wide, int(rng.integers(0, 3)))
    cover = drawn(height, width, lines) * rng.uniform(0.4, 1)
    return [Layer(soft(cover, rng.uniform(0, 0.5) * unit), paper_or_dirt(rng, 0.6))]


def hairs(height: int, width: int, unit: float, rng: np.random.Generator) -> list[Layer]:
    """Hairs and fibres that lay on the print or the scanner's glass."""
    lines = []
    for _ in range(1 + int(rng.integers(0, 6) * rng.random())):
        length, bend = log_uniform(rng, 10, 120) * unit, rng.normal(0, 2.2)
        points = wandering(_somewhere(height, width, rng), rng.uniform(0, 2 * np.pi), length, bend, 0.12, rng)
        lines.append((points, log_uniform(rng, 0.6, 2.2) * unit))
    cover = drawn(height, width, lines) * rng.uniform(0.5, 1)
    return [Layer(soft(cover, rng.uniform(0, 0.6) * unit), paper_or_dirt(rng, 0.55))]


def folds(height: int, width: int, unit: float, rng: np.random.Generator) -> list[Layer]:
    """A fold across the print: a light line whose emulsion has flaked off, one side lighter than the other."""
    middle, angle = _somewhere(height, width, rng), _direction(rng)
    reach = 1.5 * np.hypot(height, width)
    along = np.array([np.cos(angle), np.sin(angle)])
    points = wandering(middle - reach * along, angle, 2 * reach, rng.normal(0, 0.02), 0.004, rng)
    wide = log_uniform(rng, 1, 9) * unit
    y, x = np.mgrid[:height, :width].astype(np.float32)
    away = (x - middle[0]) * -along[1] + (y - middle[1]) * along[0]
    wobble = clouds(height, width, 12 * unit, rng, 3)
    line = drawn(height, width, [(points, max(wide * rng.uniform(0.3, 0.8), 0.7))])
    flaked = np.clip(1.5 - (np.abs(away) + wobble * wide * 0.5) / (wide * 0.6), 0, 1) * (wobble > rng.uniform(-1, 0.8))
    cover = np.maximum(line * rng.uniform(0.4, 1), flaked * rng.uniform(0.5, 1) if rng.random() < 0.6 else 0)
    steep = np.float32(rng.normal(0, 0.25))
    shade = steep * np.sign(away) * np.exp(-np.abs(away) / (wide * rng.uniform(1.5, 6)))
    shading = Layer(
        np.ones((height, width), np.float32), (1 + shade)[..., None].astype(np.float32), tints=True, counts=False
    )
    colour = paper_or_dirt(rng, 0.85)
    return [shading, Layer(soft(cover.astype(np.float32), rng.uniform(0, 0.7) * unit), colour)]


def tide_lines(height: int, width: int, unit: float, rng: np.random.Generator) -> list[Layer]:
    """Where water dried: a wavy brown line, sharp outside and fading inwards; what it wetted is hardly darker."""
    centre = _somewhere(height, width, rng) + rng.normal(0, 30 * unit, 2)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    wavy = clouds(height, width, log_uniform(rng, 15, 50) * unit, rng, 3) * rng.uniform(2, 8) * unit
    inside = log_uniform(rng, 15, 120) * unit - np.hypot(x - centre[0], y - centre[1]) + wavy
    wide = log_uniform(rng, 1.5, 9) * unit
    rim = np.clip(inside / (0.8 * unit) + 0.5, 0, 1) * np.exp(-np.clip(inside, 0, None) / wide)
    brown = np.array([1, rng.uniform(0.8, 1), rng.uniform(0.6, 0.95)], np.float32)
    wet = Layer((inside > 0).astype(np.float32), brown**0.15, tints=True, counts=False)
    dark = rng.random() < 0.85
    colour = brown * rng.uniform(0.25, 0.75) if dark else grey(rng.uniform(0.8, 1), 0.5)
    line = Layer((rim * rng.uniform(0.5, 1)).astype(np.float32), colour.astype(np.float32), tints=dark)
    return [Layer(cv2.GaussianBlur(wet.cover, (0, 0), 1.0), wet.colour, tints=True, counts=False), line]


def _somewhere(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(0, 1, 2) * (width, height)


def _direction(rng: np.random.Generator) -> float:
    """Any direction, but oftener upright or level, as film runs and prints are folded."""
    if rng.random() < 0.5:
        return float(rng.integers(4) * np.pi / 2 + rng.normal(0, 0.08))
    return rng.uniform(0, 2 * np.pi)
