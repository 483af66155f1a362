"""What stands before faces in composed scenes (hats, hands, glasses, bars), and what merely looks like a face: parts in
the wrong places, dials, reliefs. All is drawn, in small pictures."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

Colour = tuple[float, float, float]


def cover(scene: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> None:
    """Draws one thing before a face.

    Args:
        scene: (H, W, 3) uint8, drawn into.
        points: the face's five points in it, (5, 2).
        rng: draws which thing, and how.
    """
    thing = _THINGS[int(rng.integers(len(_THINGS)))]
    right = (points[1] - points[0]) * 1.0
    down = np.array([-right[1], right[0]])
    thing(scene, points, right, down, rng)


def _colour(rng: np.random.Generator) -> Colour:
    r, g, b = rng.integers(0, 256, 3).tolist()
    return r, g, b


def _polygon(scene: np.ndarray, corners: list[np.ndarray], colour: Colour) -> None:
    cv2.fillPoly(scene, [np.rint(np.array(corners) * 16).astype(np.int32)], colour, cv2.LINE_AA, 4)


def _ellipse(scene: np.ndarray, centre: np.ndarray, right: np.ndarray, across: float, down: float, colour: Colour):
    """An ellipse whose axes are parts of the vector `right`, and turned with it."""
    length, angle = float(np.hypot(*right)), float(np.degrees(np.arctan2(right[1], right[0])))
    x, y = np.rint(centre * 16).astype(int).tolist()
    axes = max(int(16 * across * length), 8), max(int(16 * down * length), 8)
    cv2.ellipse(scene, (x, y), axes, angle, 0, 360, colour, -1, cv2.LINE_AA, 4)


def _hat(scene: np.ndarray, points: np.ndarray, right: np.ndarray, down: np.ndarray, rng: np.random.Generator):
    colour, brow = _colour(rng), points[:2].mean(0) - rng.uniform(0.3, 0.6) * down
    wide, tall = rng.uniform(0.9, 1.3), rng.uniform(0.6, 1.5)
    brim, top = wide * right, 0.8 * wide * right
    _polygon(scene, [brow - brim, brow + brim, brow + top - tall * down, brow - top - tall * down], colour)
    if rng.random() < 0.6:
        _ellipse(scene, brow, right, wide * rng.uniform(1.1, 1.6), rng.uniform(0.08, 0.25), colour)


def _glasses(scene: np.ndarray, points: np.ndarray, right: np.ndarray, down: np.ndarray, rng: np.random.Generator):
    colour = tuple(rng.integers(0, 60, 3).tolist()) if rng.random() < 0.8 else _colour(rng)
    across, tall = rng.uniform(0.3, 0.44), rng.uniform(0.2, 0.36)
    if rng.random() < 0.5:  # dark ones
        for eye in points[:2]:
            _ellipse(scene, eye, right, across, tall, colour)
    thick = max(1, round(float(np.hypot(*right)) * rng.uniform(0.03, 0.1)))
    length, angle = float(np.hypot(*right)), float(np.degrees(np.arctan2(right[1], right[0])))
    for eye in points[:2]:
        x, y = np.rint(eye).astype(int).tolist()
        cv2.ellipse(
            scene, (x, y), (int(across * length), int(tall * length)), angle, 0, 360, colour, thick, cv2.LINE_AA
        )
    ends = [np.rint(points[0] + part * right).astype(int).tolist() for part in (across, 1 - across)]
    cv2.line(scene, ends[0], ends[1], colour, thick, cv2.LINE_AA)


def _hand(scene: np.ndarray, points: np.ndarray, right: np.ndarray, down: np.ndarray, rng: np.random.Generator):
    """Four fingers and a palm of the colour of some pixel of the face."""
    size, eyes = np.array(scene.shape[1::-1]), float(np.hypot(*right))
    x, y = np.clip(np.rint(points[2]), 0, size - 1).astype(int)
    colour = tuple(float(v) for v in np.clip(scene[y, x] * rng.uniform(0.6, 1.3), 0, 255))
    place = points[int(rng.integers(5))] + rng.normal(0, 0.4, 2) * eyes
    angle = rng.uniform(0, 2 * np.pi)
    along = np.array([np.cos(angle), np.sin(angle)]) * eyes
    aside = np.array([-along[1], along[0]])
    thick = max(1, round(eyes * rng.uniform(0.15, 0.25)))
    for finger in range(4):
        root = place + (finger - 1.5) * 0.25 * aside
        tip = root + along * rng.uniform(0.7, 1.1) + rng.normal(0, 0.06, 2) * eyes
        shade = tuple(v * rng.uniform(0.8, 1.1) for v in colour)
        cv2.line(
            scene, np.rint(root).astype(int).tolist(), np.rint(tip).astype(int).tolist(), shade, thick, cv2.LINE_AA
        )
    _ellipse(scene, place - 0.45 * along, right, 0.55, 0.5, (colour[0], colour[1], colour[2]))


def _bars(scene: np.ndarray, points: np.ndarray, right: np.ndarray, down: np.ndarray, rng: np.random.Generator):
    eyes, angle = float(np.hypot(*right)), rng.uniform(0, np.pi)
    along = np.array([np.cos(angle), np.sin(angle)])
    aside, colour = np.array([-along[1], along[0]]), _colour(rng)
    thick, apart = max(1, round(eyes * rng.uniform(0.05, 0.3))), eyes * rng.uniform(0.7, 1.5)
    for bar in range(int(rng.integers(1, 5))):
        middle = points.mean(0) + (bar - rng.uniform(0, 3)) * apart * aside
        ends = [np.rint(middle + way * 4 * eyes * along).astype(int).tolist() for way in (-1, 1)]
        cv2.line(scene, ends[0], ends[1], colour, thick, cv2.LINE_AA)


def _scarf(scene: np.ndarray, points: np.ndarray, right: np.ndarray, down: np.ndarray, rng: np.random.Generator):
    """What hides chin and mouth, in part or whole."""
    top, wide = points[3:].mean(0) + rng.uniform(-0.25, 0.5) * down, rng.uniform(0.9, 1.3)
    corners = [top - wide * right, top + wide * right, top + wide * right + 1.2 * down, top - wide * right + 1.2 * down]
    _polygon(scene, corners, _colour(rng))


_THINGS: tuple[Callable[..., None], ...] = (_hat, _hat, _glasses, _glasses, _hand, _bars, _scarf)


def scrambled(face: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A square picture cut into tiles that lie in other places: parts of a face where no face has them."""
    side, count = face.shape[0], int(rng.integers(2, 5))
    tile = side // count
    result = face.copy()
    places = [(y * tile, x * tile) for y in range(count) for x in range(count)]
    order = rng.permutation(len(places))
    while (order == np.arange(len(places))).sum() > len(places) // 4:
        order = rng.permutation(len(places))
    for (y, x), place in zip(places, order, strict=True):
        from_y, from_x = places[place]
        part = face[from_y : from_y + tile, from_x : from_x + tile]
        result[y : y + tile, x : x + tile] = part[:, ::-1] if rng.random() < 0.3 else part
    return result


def relief(face: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A square picture as a coin shows it: lit slopes of its lightness on a disc of metal."""
    side = face.shape[0]
    grey = cv2.GaussianBlur(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), side / 60)
    angle = rng.uniform(0, 2 * np.pi)
    slope = np.cos(angle) * cv2.Sobel(grey, cv2.CV_32F, 1, 0) + np.sin(angle) * cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    metal = rng.uniform(70, 190) * np.array([1, rng.uniform(0.75, 1), rng.uniform(0.5, 1)])
    lit = np.clip(slope[..., None] * rng.uniform(0.5, 1.5) + metal, 0, 255).astype(np.uint8)
    result = np.full_like(face, int(rng.integers(0, 120)))
    disc = cv2.circle(np.zeros((side, side), np.uint8), (side // 2, side // 2), int(0.47 * side), 255, -1, cv2.LINE_AA)
    return np.where(disc[..., None] > 127, lit, result)


def dial(side: int, rng: np.random.Generator) -> np.ndarray:
    """A round thing with marks inside, (side, side, 3): a clock, a button, a drawn smile."""
    picture, middle = np.empty((side, side, 3), np.uint8), side // 2
    picture[:] = _colour(rng)
    cv2.circle(picture, (middle, middle), int(side * rng.uniform(0.35, 0.48)), _colour(rng), -1, cv2.LINE_AA)
    ink, thick = _colour(rng), max(1, round(side * rng.uniform(0.01, 0.06)))
    kind = int(rng.integers(3))
    if kind == 0:
        for turn in np.arange(12) * np.pi / 6:
            inner, outer = (middle + side * r * np.array([np.cos(turn), np.sin(turn)]) for r in (0.33, 0.39))
            cv2.line(picture, inner.astype(int).tolist(), outer.astype(int).tolist(), ink, thick, cv2.LINE_AA)
        for length in (0.18, 0.3):
            turn = rng.uniform(0, 2 * np.pi)
            end = middle + side * length * np.array([np.cos(turn), np.sin(turn)])
            cv2.line(picture, (middle, middle), end.astype(int).tolist(), ink, thick + 1, cv2.LINE_AA)
    else:
        for _ in range(int(rng.integers(2, 6))):
            x, y = (middle + rng.uniform(-0.25, 0.25, 2) * side).astype(int).tolist()
            cv2.circle(
                picture,
                (x, y),
                int(side * rng.uniform(0.02, 0.08)),
                ink if kind == 1 else _colour(rng),
                -1,
                cv2.LINE_AA,
            )
    return picture
