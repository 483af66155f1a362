"""What lenses, film, sensors, scanners and files do to a photograph at its own resolution, mildly: blur, a printer's
weave, resizing, grain, coloured noise, JPEG once or twice.

The presets of `degrade.py` are stated for a face and leave little of it; this is what good photographs have, at any
size, and what the cleaner (`nets/clean.py`) learns to take off. `draw_scan` rolls the dice, `apply_scan` spoils.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from limner.degrade.generator import Generator
from limner.degrade.print_wear import Halftone, screened

WAYS = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)


@dataclass(frozen=True)
class Grain:
    """Noise of one layer: film grain or a sensor's.

    Args:
        sigma: standard deviation in grey levels of 255, as it is seen.
        size: standard deviation of the blur that makes it coarse, in pixels; 0 is white noise.
        colour: 0 (the same in all channels) to 1 (each channel its own).
        midtones: whether it is strongest in the middle greys, as film is.
        seed: of its pixels.
    """

    sigma: float
    size: float
    colour: float
    midtones: bool
    seed: int


@dataclass(frozen=True)
class File:
    """A JPEG file: its quality, whether colour is halved, and where its grid of blocks begins (x, y; 0 to 7)."""

    quality: int
    halved: bool
    grid: tuple[int, int]


@dataclass(frozen=True)
class Scan:
    """One roll of the dice.

    Args:
        blur: standard deviations of a Gaussian along x and y, in pixels.
        weave: a printer's screen, if any.
        resized: by which factor (below 1) the photo was made smaller before it came back to its size, and by which of
            WAYS; None where it wasn't.
        grains: layers of noise.
        files: JPEG files it went through, in turn.
        resized_last: whether the resizing came after all of that, as on the web, and not before the grain.
    """

    blur: tuple[float, float] = (0.0, 0.0)
    weave: Halftone | None = None
    resized: tuple[float, int, int] | None = None
    grains: tuple[Grain, ...] = ()
    files: tuple[File, ...] = ()
    resized_last: bool = False


def draw_scan(generator: Generator) -> Scan:
    """Draws what happened to one photograph: to every twelfth nothing, to a third one kind of thing alone (blur; grain;
    a file; a sensor's noise in its file), which the cleaner must tell from a photograph that is soft or grainy by
    nature; to the rest several, one upon the other."""
    uniform, chance = generator.uniform, lambda share: generator.random() < share
    if chance(0.08):
        return Scan()
    alone = int(uniform(0, 4)) if chance(0.4) else None
    if alone == 0:
        return Scan(blur=_blur(generator))
    if alone == 1:
        return Scan(grains=(_film(generator) if chance(0.4) else _sensor(generator),))
    if alone == 2:
        return Scan(files=(_file(generator),))
    if alone == 3:
        return Scan(grains=(_sensor(generator),), files=(_file(generator),))
    weave = None
    if chance(0.08):
        weave = Halftone(uniform(2.5, 5), uniform(0, np.pi), uniform(1, 3), uniform(0.05, 0.4))
    resized = None
    if chance(0.3):
        resized = (uniform(0.5, 1), int(uniform(0, len(WAYS))), int(uniform(1, len(WAYS))))
    grains: list[Grain] = []
    if chance(0.35):
        grains.append(_film(generator))
    if chance(0.45):
        grains.append(_sensor(generator))
    if chance(0.15):  # what a phone's own cleaning leaves of it
        grains.append(_grain(generator, 10 * uniform(0, 1), uniform(0.8, 2.5), 1.0, False))
    files = []
    if chance(0.75):
        files = [_file(generator) for _ in range(2 if chance(0.3) else 1)]
    blur = _blur(generator) if chance(0.5) else (0.0, 0.0)
    return Scan(blur, weave, resized, tuple(grains), tuple(files), chance(0.3))


def draw_camera(generator: Generator) -> Scan:
    """Draws what a camera leaves in the file it writes: in every second photograph a lens's blur, a sensor's noise, and
    one JPEG whose grid of blocks begins at the corner, as it does in every file that nobody cut."""
    uniform = generator.uniform
    blur = uniform(0, 1) if generator.random() < 0.5 else 0.0
    noise = _grain(generator, 9 * uniform(0, 1), 0.0, 1.0 if generator.random() < 0.7 else 0.0, False)
    return Scan((blur, blur), grains=(noise,), files=(File(int(uniform(35, 92)), generator.random() < 0.8, (0, 0)),))


def _blur(generator: Generator) -> tuple[float, float]:
    across = generator.uniform(0.3, 1.3) if generator.random() < 0.8 else generator.uniform(1.3, 2.2)
    return across, across * (generator.uniform(0.5, 1) if generator.random() < 0.3 else 1)


def _film(generator: Generator) -> Grain:
    sigma = 14 * generator.uniform(0, 1) ** 1.7
    return _grain(generator, sigma, generator.uniform(0.3, 1.4), 0.0, generator.random() < 0.6)


def _sensor(generator: Generator) -> Grain:
    colour = 1.0 if generator.random() < 0.6 else generator.uniform(0, 1)
    return _grain(generator, 13 * generator.uniform(0, 1) ** 1.5, 0.0, colour, False)


def _file(generator: Generator) -> File:
    uniform = generator.uniform
    quality = int(uniform(30, 98)) if generator.random() < 0.85 else int(uniform(12, 30))
    return File(quality, generator.random() < 0.75, (int(uniform(0, 8)), int(uniform(0, 8))))


def _grain(generator: Generator, sigma: float, size: float, colour: float, midtones: bool) -> Grain:
    return Grain(sigma, size, colour, midtones, int(generator.uniform(0, 2**31)))


def apply_scan(rgb: np.ndarray, scan: Scan) -> np.ndarray:
    """Spoils a picture, (H, W, 3) uint8, of the same size. Without anything to do it is the picture itself."""
    if scan == Scan():
        return rgb
    image = rgb.astype(np.float32) / 255
    if max(scan.blur) > 0:
        image = cv2.GaussianBlur(
            image, (0, 0), max(scan.blur[0], 0.05), sigmaY=max(scan.blur[1], 0.05), borderType=cv2.BORDER_REFLECT_101
        )
    if scan.weave is not None:
        image = screened(image, scan.weave, 1.0)
    if scan.resized and not scan.resized_last:
        image = _resized(image, scan.resized)
    for grain in scan.grains:
        image = image + _noise(image, grain)
    for file in scan.files:
        image = _through(image, file)
    if scan.resized and scan.resized_last:
        image = _resized(image, scan.resized)
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


def _resized(image: np.ndarray, how: tuple[float, int, int]) -> np.ndarray:
    height, width = image.shape[:2]
    factor, there, back = how
    small = cv2.resize(
        image, (max(round(width * factor), 1), max(round(height * factor), 1)), interpolation=WAYS[there]
    )
    return cv2.resize(small, (width, height), interpolation=WAYS[back])


def _noise(image: np.ndarray, grain: Grain) -> np.ndarray:
    height, width = image.shape[:2]
    generator = np.random.default_rng(grain.seed)
    shared = generator.standard_normal((height, width, 1), np.float32)
    layer = np.repeat(shared, 3, axis=2)
    if grain.colour:
        own = generator.standard_normal((height, width, 3), np.float32)
        layer = np.sqrt(1 - grain.colour) * layer + np.sqrt(grain.colour) * own
    if grain.size > 0.25:
        layer = cv2.GaussianBlur(layer, (0, 0), grain.size)
        layer *= 2 * np.sqrt(np.pi) * max(grain.size, 0.3)  # what a blur takes from white noise
    layer = layer * np.float32(grain.sigma / 255)
    if grain.midtones:
        luma = np.clip(image.mean(axis=2, keepdims=True), 0, 1)
        layer = layer * (0.3 + 2.8 * luma * (1 - luma))
    return layer.astype(np.float32)


def _through(image: np.ndarray, file: File) -> np.ndarray:
    """The picture as the file gives it back; the mirror image beyond its edge lets the grid begin anywhere."""
    x, y = file.grid
    padded = cv2.copyMakeBorder(image, y, 0, x, 0, cv2.BORDER_REFLECT_101)
    written = np.rint(np.clip(padded, 0, 1) * 255).astype(np.uint8)[..., ::-1]
    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420 if file.halved else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
    how = [cv2.IMWRITE_JPEG_QUALITY, file.quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    _, encoded = cv2.imencode(".jpg", written, how)
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.float32)[y:, x:, ::-1] / 255
