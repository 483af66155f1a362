"""Damage that is an area or a point: dust, blots, missing paper, stains, mould, fingerprints, silvering."""

from __future__ import annotations

import cv2
import numpy as np

from limner.degrade.damage_layer import Layer, clouds, filled, grey, log_uniform, outline, paper_or_dirt, soft


def dust(height: int, width: int, unit: float, rng: np.random.Generator) -> list[Layer]:
    """Specks, from a pixel to some: dirt on the print, or spots of missing emulsion."""
    area = height * width / unit**2
    count = 1 + int(rng.random() ** 2 * 40 * min(area / 128**2, 12))
    specks = []
    for _ in range(count):
        radius = (0.5 + 3.5 * rng.random() ** 3) * unit
        specks.append(outline(rng.uniform(0, 1, 2) * (width, height), radius, 0.25, rng))
    cover = filled(height, width, specks) * rng.uniform(0.4, 1)
    return [Layer(soft(cover, rng.uniform(0, 0.6) * unit), paper_or_dirt(rng, 0.65))]


def blots(height: int, width: int, unit: float, rng: np.random.Generator) -> list[Layer]:
    """Patches where the emulsion is gone or something stuck: of any size and outline, mostly opaque."""
    rough, marks = rng.uniform(0.1, 0.6), []
    for _ in range(1 + int(rng.integers(0, 5) * rng.random())):
        marks.append(outline(rng.uniform(0, 1, 2) * (width, height), log_uniform(rng, 2.5, 28) * unit, rough, rng))
    cover = filled(height, width, marks)
    if rng.random() < 0.5:  # scraped: islands of the picture remain
        cover *= np.clip(2 * (clouds(height, width, log_uniform(rng, 2, 12) * unit, rng, 3) + rng.uniform(0, 2)), 0, 1)
    colour = paper_or_dirt(rng, 0.7) * (1 + 0.04 * clouds(height, width, 3 * unit, rng, 2)[..., None])
    return [Layer(soft(cover * rng.uniform(0.6, 1), rng.uniform(0, 1) * unit), colour.astype(np.float32))]


def tears(height: int, width: int, unit: float, rng: np.random.Generator) -> list[Layer]:
    """Missing paper at a side or a corner, or a wedge torn in: the ground shows, behind a ragged rim of white core."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    depth = log_uniform(rng, 3, 45) * unit
    kind = rng.random()
    if kind < 0.45:
        inside = y - depth
    elif kind < 0.75:  # a corner
        slope = rng.uniform(0.4, 1.3)
        inside = (np.cos(slope) * x + np.sin(slope) * y) - depth * 1.3
    else:  # a wedge that narrows inwards
        far, place = log_uniform(rng, 15, 120) * unit, rng.uniform(0.1, 0.9) * width
        lean = rng.normal(0, 0.4)
        inside = np.abs(x - place - lean * y) - 0.4 * depth * np.clip(1 - y / far, -1, 1)
    inside = inside + clouds(height, width, log_uniform(rng, 6, 40) * unit, rng, 4) * log_uniform(rng, 0.7, 5) * unit
    turned = np.rot90(inside, int(rng.integers(4)))
    inside = cv2.resize(np.ascontiguousarray(turned), (width, height)) if height != width else turned
    ragged = 1 + np.clip(clouds(height, width, 6 * unit, rng, 3), -0.9, 2)
    rim = log_uniform(rng, 0.6, 5) * unit * ragged
    core = np.clip((rim - inside) / (0.8 * unit) + 0.5, 0, 1)
    gone = np.clip(-inside / (0.8 * unit) + 0.5, 0, 1)
    ground = grey(rng.uniform(0.85, 1) if rng.random() < 0.6 else rng.uniform(0, 0.5), rng.uniform(0, 0.5))
    white = grey(rng.uniform(0.85, 1), rng.uniform(0, 0.6)) * (1 + 0.03 * clouds(height, width, 2, rng)[..., None])
    shadow = np.exp(-np.clip(inside - rim, 0, None) / (1.5 * unit)) * (inside > 0) * rng.uniform(0, 0.3)
    dark = Layer(shadow.astype(np.float32), np.zeros(3, np.float32), counts=False)
    return [dark, Layer(core.astype(np.float32), white.astype(np.float32)), Layer(gone.astype(np.float32), ground)]


def stains(height: int, width: int, unit: float, rng: np.random.Generator) -> list[Layer]:
    """Spots of coffee, glue or chemistry: soft at the edge, darker or bleached, often brown."""
    marks = []
    for _ in range(1 + int(rng.integers(0, 4) * rng.random())):
        marks.append(outline(rng.uniform(0, 1, 2) * (width, height), log_uniform(rng, 4, 40) * unit, 0.3, rng))
    cover = soft(filled(height, width, marks), log_uniform(rng, 0.7, 6) * unit)
    cover *= np.clip(1 + 0.25 * clouds(height, width, 15 * unit, rng, 2), 0, 1)
    if rng.random() < 0.7:
        colour = np.array([1, rng.uniform(0.7, 1), rng.uniform(0.4, 1)], np.float32) * np.float32(rng.uniform(0.2, 0.8))
        return [Layer(cover * rng.uniform(0.5, 1), colour, tints=True)]
    return [Layer(cover * rng.uniform(0.3, 0.8), grey(rng.uniform(0.75, 1), rng.uniform(0, 1)))]


def mould(height: int, width: int, unit: float, rng: np.random.Generator) -> list[Layer]:
    """Swarms of small dots with soft edges, dark or pale."""
    dots = []
    for _ in range(int(rng.integers(1, 4))):
        centre, spread = rng.uniform(0, 1, 2) * (width, height), log_uniform(rng, 8, 40) * unit
        size = log_uniform(rng, 0.8, 3.5) * unit
        for _ in range(int(rng.integers(4, 45))):
            place = centre + rng.normal(0, spread, 2)
            dots.append(outline(place, size * rng.uniform(0.5, 1.6), 0.3, rng))
    cover = soft(filled(height, width, dots), rng.uniform(0.3, 1.3) * unit)
    colour = paper_or_dirt(rng, 0.3) * np.array([1, rng.uniform(0.85, 1), rng.uniform(0.7, 1)], np.float32)
    return [Layer(np.clip(cover * rng.uniform(0.5, 1.3), 0, 1), colour.astype(np.float32))]


def fingerprints(height: int, width: int, unit: float, rng: np.random.Generator) -> list[Layer]:
    """The ridges of a finger, pale or dark."""
    centre, tall = rng.uniform(0, 1, 2) * (width, height), log_uniform(rng, 15, 50) * unit
    turn = rng.uniform(0, np.pi)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    across = (np.cos(turn) * (x - centre[0]) + np.sin(turn) * (y - centre[1])) / (0.7 * tall)
    along = (-np.sin(turn) * (x - centre[0]) + np.cos(turn) * (y - centre[1])) / tall
    swirl = np.hypot(across * 1.3, along + 0.35) * tall + clouds(height, width, 0.5 * tall, rng) * 0.12 * tall
    period = max(log_uniform(rng, 3, 7) * unit, 2.8)
    ridges = np.clip(np.sin(2 * np.pi * swirl / period) * 1.5 + 0.5, 0, 1)
    touch = np.clip(2.5 * (1 - np.hypot(across, along)), 0, 1)
    touch *= np.clip(0.8 + 0.5 * clouds(height, width, 0.4 * tall, rng, 2), 0, 1)
    return [Layer((ridges * touch * rng.uniform(0.25, 0.7)).astype(np.float32), paper_or_dirt(rng, 0.6))]


def silvering(height: int, width: int, unit: float, rng: np.random.Generator) -> list[Layer]:
    """Bluish spots where the silver has come to the surface, in ragged patches."""
    spots = clouds(height, width, log_uniform(rng, 3, 14) * unit, rng, 3) - rng.uniform(1.4, 2.3)
    patches = clouds(height, width, 40 * unit, rng) * 0.5
    cover = np.clip(2 * (spots + patches), 0, 1) * rng.uniform(0.4, 0.9)
    blue = grey(rng.uniform(0.5, 0.85)) * np.array([0.9, 1, rng.uniform(1, 1.15)], np.float32)
    return [Layer(cover.astype(np.float32), blue.astype(np.float32))]
