"""What the finder's training pictures are made of besides faces: made-up textures, and the wear of photographs."""

from __future__ import annotations

import cv2
import numpy as np

from limner.pixels import without_colour

SIZE = 96
"""Side of a patch in pixels."""


def texture(rng: np.random.Generator) -> np.ndarray:
    """A made-up patch without a face: cloudy noise, stripes, shapes or writing."""
    kind = rng.integers(4)
    cells = int(rng.integers(2, 25))
    picture = rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
    patch = cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    if kind == 1:
        y, x = np.mgrid[:SIZE, :SIZE]
        angle, period = rng.uniform(0, np.pi), rng.uniform(4, 40)
        wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period + rng.uniform(0, 6))
        wave = wave if rng.random() < 0.5 else np.sign(wave)
        patch = np.clip(patch * 0.4 + (wave[..., None] + 1) * rng.uniform(0, 76, 3), 0, 255).astype(np.uint8)
    elif kind >= 2:
        patch = np.ascontiguousarray(patch // 4 + rng.integers(0, 192, 3, dtype=np.uint8))
        for _ in range(int(rng.integers(2, 14))):
            colour = tuple(int(v) for v in rng.integers(0, 256, 3))
            centre = tuple(int(v) for v in rng.integers(0, SIZE, 2))
            other = tuple(int(v) for v in rng.integers(0, SIZE, 2))
            if kind == 2:
                axes = tuple(int(v) for v in rng.integers(2, 40, 2))
                cv2.ellipse(patch, centre, axes, float(rng.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
                cv2.line(patch, centre, other, colour, int(rng.integers(1, 8)), cv2.LINE_AA)
            else:
                letters = "".join(chr(c) for c in rng.integers(65, 123, 6))
                cv2.putText(
                    patch,
                    letters,
                    (centre[0] - 40, centre[1]),
                    int(rng.integers(8)),
                    float(rng.uniform(0.4, 2.5)),
                    colour,
                    int(rng.integers(1, 5)),
                    cv2.LINE_AA,
                )
                cv2.rectangle(patch, centre, other, colour, int(rng.integers(1, 4)))
    return patch


def spoil(picture: np.ndarray, rng: np.random.Generator, upright: float = SIZE) -> np.ndarray:
    """The wear of photographs, from none to the severest preset, as it looks at the picture's own scale.

    Args:
        picture: (H, W, 3) uint8.
        rng: draws the wear.
        upright: side in pixels that a face's upright patch has in the picture; the presets are stated for such a side
            of 403 px.

    Returns:
        (H, W, 3) uint8.
    """
    height, width = picture.shape[:2]
    image = _lit(picture, rng)
    # The ranges of the presets for 512 px (blur sigma, factor r, noise, JPEG quality) at the scale of the patch.
    kind = rng.random()
    if kind < 0.25:
        sigma, factor, noise, quality = 0.0, rng.uniform(1, 5), rng.uniform(0, 4), rng.uniform(80, 100)
    elif kind < 0.6:
        sigma, factor, noise, quality = (
            rng.uniform(0, 8),
            rng.uniform(2, 10),
            rng.uniform(0, 18),
            rng.uniform(50, 100),
        )
    else:
        sigma, factor, noise, quality = (
            rng.uniform(5, 16),
            rng.uniform(6, 32),
            rng.uniform(0, 20),
            rng.uniform(30, 100),
        )
    scale = upright / 403  # an upright patch shows 403 of the 512 px
    if sigma * scale > 0.3:
        other = sigma if rng.random() < 0.5 else sigma * rng.uniform(0.5, 1)
        span = 2 * round(min(20, 3 * sigma) * scale) + 1  # the presets' kernel ends at 20 px
        image = cv2.GaussianBlur(image, (span, span), sigma * scale, sigmaY=other * scale)
    shrunk = np.clip(403 / factor, 9, upright) / upright
    if shrunk < 1:
        way = cv2.INTER_AREA if rng.random() < 0.6 else cv2.INTER_LINEAR
        image = cv2.resize(image, (max(int(width * shrunk), 1), max(int(height * shrunk), 1)), interpolation=way)
    image += rng.standard_normal(image.shape, dtype=np.float32) * np.float32(noise / 255)
    small = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    if rng.random() < 0.75:
        _, encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
        small = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))
    if shrunk < 1:
        way = cv2.INTER_LINEAR if rng.random() < 0.6 else cv2.INTER_CUBIC
        small = cv2.resize(small, (width, height), interpolation=way)
    return small


def _lit(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture, (H, W, 3) uint8, in another tone and light, partly covered: float32, about 0 to 1."""
    height, width = picture.shape[:2]
    tint: tuple[float, ...]
    if rng.random() < 0.35:
        tint = (1.0, 1.0, 1.0) if rng.random() < 0.6 else (1.05, rng.uniform(0.85, 1), rng.uniform(0.6, 0.95))
        picture = without_colour(picture)
    else:
        tint = tuple(rng.uniform(0.85, 1.15, 3))
    # what becomes of each of 256 values, in each channel
    tones = np.clip(np.arange(256)[:, None] * tint / 255, 0, 1) ** np.exp(rng.normal(0, 0.3))
    tones = (tones - 0.5) * rng.uniform(0.5, 1.3) + 0.5 + rng.normal(0, 0.1)
    image = np.asarray(cv2.LUT(np.ascontiguousarray(picture), tones.astype(np.float32)[None]))
    if rng.random() < 0.12:  # light from one side
        slope, steep = np.linspace(-1, 1, SIZE, dtype=np.float32), np.float32(rng.normal(0, 0.25))
        down = rng.random() < 0.3
        slope = cv2.resize(slope[:, None] if down else slope[None], (width, height))
        image = image * (1 + steep * slope[..., None])
    if rng.random() < 0.12:  # something held before the face, or a tear in the print
        image = _cover(np.ascontiguousarray(image), rng)
    return image


def _cover(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    colour = tuple(float(v) for v in rng.uniform(0, 1, 3))
    size = np.array(image.shape[1::-1])
    x, y = (int(v) for v in rng.integers(0, size))
    if rng.random() < 0.5:
        width, height = (int(v) for v in rng.integers(8, 36, 2))
        cv2.ellipse(image, (x, y), (width // 2, height // 2), float(rng.uniform(0, 180)), 0, 360, colour, -1)
    else:
        end = tuple(int(v) for v in rng.integers(0, size))
        cv2.line(image, (x, y), end, colour, int(rng.integers(1, 4)), cv2.LINE_AA)
    return image
