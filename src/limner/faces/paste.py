"""Puts a restored crop back into its photograph: inverse warp, feathered mask, matched colour."""

import cv2
import numpy as np

from limner.errors import LimnerError
from limner.faces.align import crop as cut
from limner.faces.align import invert, transform, warp

FULL = 0.80  # half-width of the rounded square that is wholly restored, in half crops: eyes to chin lie inside
NOTHING = 0.98  # ... and where nothing of the crop is left
MOST_COLOUR_CHANGE = 0.15  # of full scale: a larger difference is content, not colour


def face_mask(size: int) -> np.ndarray:
    """The share of the restored crop at each pixel, size x size float32: 1 on the face, 0 at the border.

    A rounded square, because the restored crop holds hair and ears too, with a smooth slope.
    """
    axis = np.abs(np.linspace(-1, 1, size, dtype=np.float32)) ** 4
    distance = (axis[:, None] + axis[None, :]) ** 0.25
    ramp = np.clip((NOTHING - distance) / (NOTHING - FULL), 0, 1)
    return ramp * ramp * (3 - 2 * ramp)


def paste(
    image: np.ndarray,
    crop: np.ndarray,
    matrix: np.ndarray,
    strength: float = 1.0,
    match_colour: bool = True,
) -> np.ndarray:
    """A copy of ``image`` with the restored ``crop`` in its place; several faces are pasted in turn.

    Args:
        image: H x W x 3, uint8, uint16, or float in [0, 1].
        crop: S x S x 3 float32 in [0, 1], same colour space as ``image``.
        matrix: the 2x3 from picture to crop that cut it.
        strength: 0 keeps the original face, 1 takes the restored one, between they are blended.
        match_colour: bring the low frequencies of the crop to those around the face.

    Returns:
        H x W x 3, dtype of ``image``. Pixels outside the mask are bit-identical to the original's.

    Raises:
        LimnerError: ``strength`` is outside 0..1.
    """
    if not 0 <= strength <= 1:
        raise LimnerError(f"The strength must lie between 0 (original) and 1 (restored), not {strength}.")
    result = image.copy()
    size, (height, width) = crop.shape[0], image.shape[:2]
    corners = transform(np.array([(0, 0), (size, 0), (0, size), (size, size)], float), invert(matrix))
    x0, y0 = np.maximum(np.floor(corners.min(0)).astype(int), 0)
    x1, y1 = np.minimum(np.ceil(corners.max(0)).astype(int) + 1, (width, height))
    if strength == 0 or x1 <= x0 or y1 <= y0:
        return result

    white = float(np.iinfo(image.dtype).max) if np.issubdtype(image.dtype, np.integer) else 1.0
    restored = np.clip(crop, 0, 1).astype(np.float32)
    if match_colour:
        original = cut(image, matrix, size).astype(np.float32) / np.float32(white)
        restored = _match_colour(restored, original, _inside(matrix, size, width, height))
    to_place = invert(matrix)
    to_place[:, 2] -= (x0, y0)
    share = _warped_mask(size, to_place, x1 - x0, y1 - y0)[..., None] * np.float32(strength)
    restored = np.clip(warp(restored, to_place, x1 - x0, y1 - y0), 0, 1)

    place = result[y0:y1, x0:x1]
    original = place.astype(np.float32)
    blended = original + share * (restored * np.float32(white) - original)
    if np.issubdtype(image.dtype, np.integer):
        blended = np.clip(np.rint(blended), 0, white)
    np.copyto(place, blended.astype(image.dtype), where=share > 0)
    return result


def _warped_mask(size: int, to_place: np.ndarray, width: int, height: int) -> np.ndarray:
    """The mask in the picture. Linear and with nothing beyond its edge, so that it never leaves the crop."""
    return cv2.warpAffine(face_mask(size), to_place, (width, height), flags=cv2.INTER_LINEAR, borderValue=0)


def _inside(matrix: np.ndarray, size: int, width: int, height: int) -> np.ndarray:
    """Which pixels of the crop, S x S bool, show the picture and not the mirror beyond its edge."""
    grid = np.stack(np.meshgrid(np.arange(size), np.arange(size)), -1).reshape(-1, 2)
    x, y = transform(grid, invert(matrix)).T
    return ((x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)).reshape(size, size)


def _match_colour(restored: np.ndarray, original: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """``restored`` (S x S x 3) plus a smooth field that takes its colours to the original's around the face.

    The difference of the two is trusted on the slope of the mask alone, where both show hair, skin's edge and
    background, and is spread from there over the face by normalised convolution (Knutsson and Westin 1993).
    """
    size = restored.shape[0]
    mask = face_mask(size)
    trust = mask * (1 - mask) * inside
    difference = np.clip(original - restored, -MOST_COLOUR_CHANGE, MOST_COLOUR_CHANGE)
    small = max(16, size // 8)
    weight = cv2.resize(trust, (small, small), interpolation=cv2.INTER_AREA)
    weighted = cv2.resize(difference * trust[..., None], (small, small), interpolation=cv2.INTER_AREA)
    sigma = small / 5
    weight = cv2.GaussianBlur(weight, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
    weighted = cv2.GaussianBlur(weighted, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
    field = weighted / np.maximum(weight, 1e-6)[..., None]
    return restored + cv2.resize(field, (size, size), interpolation=cv2.INTER_CUBIC)
