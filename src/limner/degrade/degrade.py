"""The field's synthetic degradation, y = {[(x * k) down_r + n]_JPEG} up, with the presets of the papers
and one of limner's own, `old-print`, in which a print wears (`print_wear.py`) before it is photographed.

`draw` rolls the dice, `apply` spoils a picture with what was rolled, `degrade` does both. All presets are stated for
faces of 512 px; on a face of another size the blur scales with it while the down-sampled width stays floor(512 / r),
so that a preset always means the same loss of content.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np

from limner.degrade.generator import Generator
from limner.degrade.print_wear import Wear, apply_wear, draw_wear, toned
from limner.errors import LimnerError
from limner.pixels import without_colour

REFERENCE_SIZE = 512
KERNEL_SIZE = 41


@dataclass(frozen=True)
class Preset:
    """Ranges, uniform, for a face of 512 px: blur sigma in pixels, down-sampling factor r, noise sigma in
    grey levels of 255, JPEG quality, the share of pictures turned grey, and whether it was a worn print."""

    sigma: tuple[float, float]
    downsample: tuple[float, float]
    noise: tuple[float, float]
    jpeg: tuple[float, float]
    grey: float = 0.0
    worn: bool = False


PRESETS: dict[str, Preset] = {
    "gfpgan": Preset((0.1, 10), (0.8, 8), (0, 20), (60, 100)),
    "codeformer": Preset((1, 15), (1, 30), (0, 20), (30, 90)),
    "difface": Preset((0.1, 15), (0.8, 32), (0, 20), (30, 100), grey=0.01),
    "refldm": Preset((0, 16), (1, 32), (0, 20), (30, 100)),
    "ffhq-ref-moderate": Preset((0, 8), (1, 8), (0, 15), (60, 100)),
    "ffhq-ref-severe": Preset((8, 16), (8, 32), (0, 20), (30, 100)),
    "old-print": Preset((0.5, 5), (1, 8), (0, 12), (50, 100), grey=0.7, worn=True),
}

GRID = "difface-grid"
"""DifFace's own test set: every combination of fixed values, one picture each (docs/methods/difface.md, eq. (1))."""

_GRID = tuple(
    product(
        (30, 40, 50, 60, 70),  # JPEG quality
        range(4, 41, 4),  # r
        (1, 5, 10, 15, 20),  # noise sigma
        (4, 8, 12, 16),  # blur sigma along x
        (0.0, np.pi / 4, np.pi / 2, 3 * np.pi / 4),  # rotation
    )
)


def preset_names() -> list[str]:
    """Names that `draw` and `degrade` accept."""
    return [*PRESETS, GRID]


@dataclass(frozen=True, eq=False)
class Degradation:
    """One roll of the dice, in units of a 512-px face.

    Args:
        sigma_x, sigma_y: standard deviations of the Gaussian kernel in pixels, 0 or more.
        rotation: of the kernel, in radians.
        downsample: r, above 0; the low-resolution width is floor(512 / r).
        noise: standard normal, (h, w, 3) in BGR order, at the low resolution.
        noise_sigma: in grey levels of 255.
        jpeg_quality: 1 to 100.
        grey: whether the picture loses its colour first.
        wear: of the print, next.
    """

    sigma_x: float
    sigma_y: float
    rotation: float
    downsample: float
    noise: np.ndarray
    noise_sigma: float
    jpeg_quality: int
    grey: bool = False
    wear: Wear | None = None


def gaussian_kernel(sigma_x: float, sigma_y: float, rotation: float, size: int = KERNEL_SIZE) -> np.ndarray:
    """The bivariate Gaussian kernel, (size, size) float64, summing to 1. A sigma of 0 gives a delta."""
    sigma_x, sigma_y = max(sigma_x, 1e-9), max(sigma_y, 1e-9)
    axis = np.arange(size) - size // 2
    x, y = np.meshgrid(axis, axis)
    cosine, sine = np.cos(rotation), np.sin(rotation)
    along, across = (cosine * x + sine * y) / sigma_x, (-sine * x + cosine * y) / sigma_y
    kernel = np.exp(-0.5 * (along**2 + across**2))
    return kernel / kernel.sum()


def low_resolution(width: int, height: int, downsample: float) -> tuple[int, int]:
    """Width and height after down-sampling a picture whose longer side stands for 512 px."""
    scale = REFERENCE_SIZE / max(width, height)
    return max(int(width * scale / downsample), 1), max(int(height * scale / downsample), 1)


def draw(preset: str, generator: Generator, width: int = 512, height: int = 512) -> Degradation:
    """Draws the parameters and the noise of one degradation.

    Args:
        preset: one of `preset_names()`.
        generator: a `numpy.random.Generator`; the draw order is that of the published training code.
        width, height: of the picture in pixels; they fix the shape of the noise.

    Raises:
        LimnerError: if there is no such preset.
    """
    if preset == GRID:
        return grid_point(min(int(generator.random() * len(_GRID)), len(_GRID) - 1), generator, width, height)
    if preset not in PRESETS:
        raise LimnerError(f"There is no degradation preset '{preset}': choose one of {', '.join(preset_names())}.")
    ranges = PRESETS[preset]
    isotropic = generator.random() < 0.5
    sigma_x = generator.uniform(*ranges.sigma)
    sigma_y, rotation = sigma_x, 0.0
    if not isotropic:
        sigma_y = generator.uniform(*ranges.sigma)
        rotation = generator.uniform(-np.pi, np.pi)
    downsample = generator.uniform(*ranges.downsample)
    noise_sigma = generator.uniform(*ranges.noise)
    grey = generator.uniform(0, 1) < ranges.grey
    low_width, low_height = low_resolution(width, height, downsample)
    noise = generator.standard_normal((low_height, low_width, 3))
    quality = int(generator.uniform(*ranges.jpeg))
    wear = draw_wear(generator, width, height) if ranges.worn else None
    return Degradation(sigma_x, sigma_y, rotation, downsample, noise, noise_sigma, quality, grey, wear)


def grid_point(index: int, generator: Generator, width: int = 512, height: int = 512) -> Degradation:
    """Point `index` (0 to 3999) of DifFace's test grid; sigma_y and the noise are drawn.

    Raises:
        LimnerError: if the index lies outside the grid.
    """
    if not 0 <= index < len(_GRID):
        raise LimnerError(f"The preset {GRID} has the points 0 to {len(_GRID) - 1}, not {index}.")
    quality, downsample, noise_sigma, sigma_x, rotation = _GRID[index]
    sigma_y = (4, 8, 12, 16)[min(int(generator.random() * 4), 3)]
    low_width, low_height = low_resolution(width, height, downsample)
    noise = generator.standard_normal((low_height, low_width, 3))
    return Degradation(sigma_x, sigma_y, rotation, downsample, noise, noise_sigma, quality)


def truth(rgb: np.ndarray, degradation: Degradation) -> np.ndarray:
    """What a restoration should give back, (H, W, 3) uint8 to the same: the picture less the colour that the
    degradation took, in the tone that it gave."""
    if degradation.grey:
        rgb = without_colour(rgb)
    return rgb if degradation.wear is None else toned(rgb, degradation.wear)


def apply(rgb: np.ndarray, degradation: Degradation) -> np.ndarray:
    """Spoils a picture.

    Args:
        rgb: (H, W, 3) uint8.
        degradation: from `draw`, for a picture of this size.

    Returns:
        (H, W, 3) uint8 of the same size.
    """
    return apply_to_truth(rgb if degradation.wear is None else truth(rgb, degradation), degradation)


def apply_to_truth(rgb: np.ndarray, degradation: Degradation) -> np.ndarray:
    """As `apply`, of what is in the degradation's tone already, as `truth` and what is restored to it are."""
    height, width = rgb.shape[:2]
    scale = max(width, height) / REFERENCE_SIZE
    if degradation.wear is not None:
        rgb = apply_wear(rgb, degradation.wear, scale)
    image = np.ascontiguousarray(rgb[..., ::-1], dtype=np.float32) / 255  # BGR: JPEG and the noise want it
    if degradation.grey and degradation.wear is None:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    kernel = gaussian_kernel(degradation.sigma_x * scale, degradation.sigma_y * scale, degradation.rotation)
    image = cv2.filter2D(image, -1, kernel)
    low = low_resolution(width, height, degradation.downsample)
    image = cv2.resize(image, low, interpolation=cv2.INTER_LINEAR)
    image = image + degradation.noise.astype(np.float32) * np.float32(degradation.noise_sigma / 255)
    small = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    _, encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, degradation.jpeg_quality])
    image = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.float32) / 255
    image = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)[..., ::-1].copy()


def degrade(rgb: np.ndarray, preset: str, generator: Generator) -> np.ndarray:
    """Draws from a preset and spoils the picture with it: (H, W, 3) uint8 in, the same out.

    Raises:
        LimnerError: if there is no such preset.
    """
    return apply(rgb, draw(preset, generator, rgb.shape[1], rgb.shape[0]))
