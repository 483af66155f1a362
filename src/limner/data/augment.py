"""Another photograph of a person, made up from the one there is: references for training
(docs/methods/refldm.md, "Nets")."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Augmentation:
    """Ranges of what `vary` draws; every draw is uniform and symmetrical.

    Attributes:
        brightness, contrast, saturation: largest change of each factor from 1.
        hue: largest turn of the hue, in parts of the colour circle.
        degrees: largest rotation.
        shift: largest translation, in parts of the side.
        scale: largest change of size from 1.
        perspective: how far a corner may move inwards, in parts of half the side.
        bend: standard deviation of a smooth random displacement, in parts of the side: another expression.
        mirror: chance of a mirrored reference.
        fill: what lies beyond the picture's edge: `zero`, as published, or `mirror`.
    """

    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2
    hue: float = 0.02
    degrees: float = 2.0
    shift: float = 0.05
    scale: float = 0.05
    perspective: float = 0.2
    bend: float = 0.0
    mirror: float = 0.5
    fill: str = "zero"


PAPER = Augmentation()
"""As the published model was trained (the code's setting of the perspective: every time)."""

ALIGNED = Augmentation(0.25, 0.25, 0.3, 0.03, 2.0, 0.01, 0.03, 0.04, 0.004, 0.0, "mirror")
"""For a small net with little time: alignment has put eyes and mouth in place, and shapes vary about as much as between
two photographs of one sitting; colours vary more."""


def vary(picture: np.ndarray, how: Augmentation, generator: np.random.Generator) -> np.ndarray:
    """A varied copy of a picture, (H, W, 3) uint8 RGB, of the same size."""
    if generator.random() < how.mirror:
        picture = picture[:, ::-1]
    return _colour(_warp(picture, how, generator), how, generator)


def _warp(picture: np.ndarray, how: Augmentation, generator: np.random.Generator) -> np.ndarray:
    height, width = picture.shape[:2]
    size = np.array([width, height])
    angle, grow = generator.uniform(-how.degrees, how.degrees), 1 + generator.uniform(-how.scale, how.scale)
    turn = np.vstack([cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, grow), [0, 0, 1]])
    turn[:2, 2] += generator.uniform(-how.shift, how.shift, 2) * size
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    inwards = generator.uniform(0, how.perspective / 2, (4, 2)) * (1 - 2 * corners)
    here, there = (corners * (size - 1)).astype(np.float32), ((corners + inwards) * (size - 1)).astype(np.float32)
    matrix = turn @ cv2.getPerspectiveTransform(here, there)
    border = cv2.BORDER_CONSTANT if how.fill == "zero" else cv2.BORDER_REFLECT_101
    picture = np.ascontiguousarray(picture)
    if not how.bend:
        return cv2.warpPerspective(picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=border)
    xs, ys = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    places = cv2.perspectiveTransform(np.stack([xs, ys], axis=-1), np.linalg.inv(matrix))
    coarse = generator.normal(0, how.bend, (6, 6, 2)) * size
    places += cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return cv2.remap(picture, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=border)


def _colour(picture: np.ndarray, how: Augmentation, generator: np.random.Generator) -> np.ndarray:
    """Brightness, contrast, saturation and hue, each a linear map of the colours."""
    brightness, contrast, saturation = (
        1 + generator.uniform(-most, most) for most in (how.brightness, how.contrast, how.saturation)
    )
    luma = np.array([0.299, 0.587, 0.114], dtype=np.float32)
    grey = np.ones((3, 1), np.float32) @ luma[None]
    angle = 2 * np.pi * generator.uniform(-how.hue, how.hue)
    axis = np.full(3, 3**-0.5)
    cross = np.cross(np.eye(3), axis)
    turn = np.cos(angle) * np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * np.outer(axis, axis)
    colours = turn @ (saturation * np.eye(3) + (1 - saturation) * grey) * (brightness * contrast)
    mean = float(cv2.mean(picture)[:3] @ luma) * brightness
    offset = np.full((3, 1), mean * (1 - contrast))
    moved = cv2.transform(picture.astype(np.float32), np.hstack([colours, offset]))
    return np.clip(np.rint(moved), 0, 255).astype(np.uint8)
