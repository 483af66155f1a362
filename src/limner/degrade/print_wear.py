"""What a century does to a print: tone, unsteady cameras, halftone, scratches, specks, creases, stains, an early JPEG.

The published degradations know lenses, sensors and files only; old photographs are what people bring. `draw_wear` rolls
the dice and `apply_wear` spoils a picture, before the lens, the size and the file of `degrade.py` spoil it further.
Lengths are in pixels of a face of 512 px and scale with the picture, but for the grain, which is of the scan's pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from limner.degrade.generator import Generator
from limner.pixels import without_colour

SEPIA = np.array([1.07, 0.98, 0.82], np.float32)
"""Full sepia, as a factor of each of R, G and B."""
SUBPIXEL = 4  # bits of a position's fraction, for OpenCV's drawing


@dataclass(frozen=True, eq=False)
class Mark:
    """A scratch, a crease (both: a line) or a speck (a single point).

    Args:
        points: (n, 2), x and y in parts of the width and height.
        width: in pixels, of the line or across the speck.
        shade: what is left in its place, 0 (black) to 1 (white).
        opacity: 0 to 1.
        softness: standard deviation of its edge in pixels.
    """

    points: np.ndarray
    width: float
    shade: float
    opacity: float
    softness: float = 0.0


@dataclass(frozen=True)
class Halftone:
    """A printer's screen: its period in pixels, its angle in radians, how hard its dots are (1, soft, to 6), how far
    it takes the place of the picture (0 to 1: half). Finer than 2.5 px of the picture there is none."""

    period: float
    angle: float
    hardness: float
    share: float


@dataclass(frozen=True, eq=False)
class Wear:
    """One roll of the dice.

    Args:
        sepia: 0 (tone as it is) to 1; the restored picture keeps it.
        shake: length of the motion blur in pixels.
        shake_angle: its direction in radians.
        halftone: the printer's screen, if any.
        stains: (5, 5), how much lighter or darker (parts of 1) each region has become.
        marks: scratches, creases and specks.
        grain: (h, w) standard normal, of the paper; `grain_sigma` in grey levels of 255, before it is blurred.
        first_jpeg: quality of the file that was saved before the last one.
    """

    sepia: float
    shake: float
    shake_angle: float
    halftone: Halftone | None
    stains: np.ndarray
    marks: list[Mark]
    grain: np.ndarray
    grain_sigma: float
    first_jpeg: int


def draw_wear(generator: Generator, width: int, height: int) -> Wear:
    """Draws the wear of a print of this size; few prints have all of it."""
    uniform, chance = generator.uniform, lambda share: generator.random() < share
    marks = []
    if chance(0.5):
        marks += [_scratch(generator) for _ in range(int(uniform(1, 8)))]
    if chance(0.5):
        marks += [_speck(generator) for _ in range(int(uniform(1, 10) ** 2))]
    if chance(0.15):
        marks.append(_crease(generator))
    halftone = None
    if chance(0.25):
        halftone = Halftone(uniform(3, 8), uniform(0, np.pi), uniform(1, 6), uniform(0.3, 1))
    return Wear(
        sepia=uniform(0.2, 1) if chance(0.5) else 0.0,
        shake=uniform(2, 14) if chance(0.25) else 0.0,
        shake_angle=uniform(0, np.pi),
        halftone=halftone,
        stains=generator.standard_normal((5, 5)) * (uniform(0, 0.08) if chance(0.3) else 0.0),
        marks=marks,
        grain=generator.standard_normal((height, width)),
        grain_sigma=uniform(0, 25),
        first_jpeg=int(uniform(40, 100)),
    )


def _scratch(generator: Generator) -> Mark:
    """A thin line that wanders a little: mostly upright, as film and plates are drawn, mostly light."""
    start = np.array([generator.uniform(0, 1), generator.uniform(0, 1)])
    angle = np.pi / 2 + 0.5 * float(generator.standard_normal((1,))[0])
    length = generator.uniform(0.03, 0.5)
    steps = np.linspace(-0.5, 0.5, 6)[:, None] * length * np.array([np.cos(angle), np.sin(angle)])
    points = start + steps + 0.006 * generator.standard_normal((6, 2)).cumsum(axis=0)
    return Mark(points, generator.uniform(0.8, 3), _shade(generator, 0.7), generator.uniform(0.3, 1), 0.4)


def _speck(generator: Generator) -> Mark:
    point = np.array([[generator.uniform(0, 1), generator.uniform(0, 1)]])
    size = 1 + 7 * generator.uniform(0, 1) ** 3
    return Mark(point, size, _shade(generator, 0.6), generator.uniform(0.3, 1), 0.4)


def _crease(generator: Generator) -> Mark:
    """A fold across the whole print, whose emulsion has come off."""
    middle, angle = np.array([generator.uniform(0.1, 0.9), generator.uniform(0.1, 0.9)]), generator.uniform(0, np.pi)
    along = np.linspace(-1, 1, 12)[:, None] * 1.5 * np.array([np.cos(angle), np.sin(angle)])
    points = middle + along + 0.003 * generator.standard_normal((12, 2))
    return Mark(points, generator.uniform(2, 7), _shade(generator, 0.8), generator.uniform(0.2, 0.9), 1.2)


def _shade(generator: Generator, light: float) -> float:
    return generator.uniform(0.75, 1) if generator.random() < light else generator.uniform(0, 0.3)


def toned(rgb: np.ndarray, wear: Wear) -> np.ndarray:
    """The picture in the print's tone, (H, W, 3) uint8 to the same: what a restoration should give back."""
    if not wear.sepia:
        return rgb
    tint = 1 + wear.sepia * (SEPIA - 1)
    return np.rint(np.clip(without_colour(rgb).astype(np.float32) * tint, 0, 255)).astype(np.uint8)


def apply_wear(rgb: np.ndarray, wear: Wear, scale: float) -> np.ndarray:
    """The worn print, (H, W, 3) uint8 to the same.

    Args:
        rgb: the print in its tone, see `toned`.
        wear: from `draw_wear`, for a picture of this size.
        scale: the picture's size over that of a face of 512 px.
    """
    image = rgb.astype(np.float32) / 255
    if wear.shake * scale > 1:
        image = cv2.filter2D(image, -1, motion_kernel(wear.shake * scale, wear.shake_angle))
    if wear.halftone is not None:
        image = screened(image, wear.halftone, scale)
    height, width = image.shape[:2]
    stains = cv2.resize(wear.stains.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    image = image * (1 + stains[..., None])
    image = image + (cv2.GaussianBlur(wear.grain.astype(np.float32), (0, 0), 0.6) * wear.grain_sigma / 255)[..., None]
    paper = 1 + wear.sepia * (SEPIA / SEPIA.max() - 1)
    for mark in wear.marks:
        cover = _cover(mark, width, height, scale)[..., None]
        image = image * (1 - cover) + cover * mark.shade * paper
    written = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)[..., ::-1]
    _, encoded = cv2.imencode(".jpg", written, [cv2.IMWRITE_JPEG_QUALITY, wear.first_jpeg])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)[..., ::-1].copy()


def motion_kernel(length: float, angle: float) -> np.ndarray:
    """A line of this length in pixels through the middle, anti-aliased, summing to 1."""
    size = 2 * int(np.ceil(length / 2)) + 3
    axis = np.arange(size) - size // 2
    x, y = np.meshgrid(axis, axis)
    along, across = np.cos(angle) * x + np.sin(angle) * y, -np.sin(angle) * x + np.cos(angle) * y
    kernel = np.clip(1 - np.abs(across), 0, 1) * np.clip(length / 2 + 0.5 - np.abs(along), 0, 1)
    return kernel / kernel.sum()


def screened(image: np.ndarray, screen: Halftone, scale: float) -> np.ndarray:
    """The picture as dots whose size follows the tone, mixed with the picture itself (ink spreads)."""
    height, width = image.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    turn = 2 * np.pi / max(screen.period * scale, 2.5)  # finer than that, no scan resolves it
    cosine, sine = np.float32(np.cos(screen.angle) * turn), np.float32(np.sin(screen.angle) * turn)
    threshold = 0.5 + 0.25 * (np.cos(cosine * x + sine * y) + np.cos(-sine * x + cosine * y))
    dots = np.clip((image - threshold[..., None]) * screen.hardness + 0.5, 0, 1)
    return image + screen.share * 0.5 * (dots - image)


def _cover(mark: Mark, width: int, height: int, scale: float) -> np.ndarray:
    """How much of each pixel the mark covers, (height, width), 0 to 1."""
    cover = np.zeros((height, width), np.uint8)
    fixed = 1 << SUBPIXEL
    points = np.rint(mark.points * (width, height) * fixed).astype(np.int32)
    size = mark.width * scale
    if len(points) == 1:
        cv2.circle(cover, points[0].tolist(), max(round(size / 2 * fixed), 1), 255, -1, cv2.LINE_AA, SUBPIXEL)
    else:
        cv2.polylines(cover, [points[:, None]], False, 255, max(round(size), 1), cv2.LINE_AA, SUBPIXEL)
    soft = cv2.GaussianBlur(cover, (0, 0), max(mark.softness * scale, 0.3)).astype(np.float32) / 255
    return soft * (mark.opacity * min(size, 1.0))  # a line thinner than a pixel covers part of it
