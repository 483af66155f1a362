"""Five points <-> square crop: the similarity to the FFHQ template, the crop it cuts, and its inverse."""

from __future__ import annotations

import math

import cv2
import numpy as np

from limner.errors import LimnerError
from limner.template import template


def fit_similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The least-squares similarity (no reflection) between two sets of points, after Umeyama 1991 in two dimensions.
    With centred points as complex numbers z and w it is the one complex factor sum(conj(z) w) / sum(|z|^2): rotation
    and scale at once.

    Args:
        source, target: (..., N, 2).

    Returns:
        (..., 2, 3) float64 from source to target: `[scale * rotation | shift]`.
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    centre, goal = source.mean(-2, keepdims=True), target.mean(-2, keepdims=True)
    z, w = source - centre, target - goal
    spread = np.maximum((z**2).sum((-2, -1)), 1e-12)
    a = (z * w).sum((-2, -1)) / spread
    b = (z[..., 0] * w[..., 1] - z[..., 1] * w[..., 0]).sum(-1) / spread
    linear = np.stack([np.stack([a, -b], -1), np.stack([b, a], -1)], -2)
    shift = np.swapaxes(goal, -2, -1) - linear @ np.swapaxes(centre, -2, -1)
    return np.concatenate([linear, shift], -1)


def similarity(landmarks: np.ndarray, size: int) -> np.ndarray:
    """The matrix that lays a face's points on the FFHQ template of a crop.

    Args:
        landmarks: (5, 2) in pixels of the picture, in the order of `Face.landmarks`.
        size: side of the crop in pixels.

    Returns:
        2x3 float64 from picture to crop.

    Raises:
        LimnerError: the landmarks are not five finite points, or all lie on one spot.
    """
    points = np.asarray(landmarks, np.float64)
    if points.shape != (5, 2) or not np.isfinite(points).all() or np.ptp(points, axis=0).max() < 1e-3:
        raise LimnerError(
            f"A face needs five different points of finite (x, y), left eye first; got an array of shape "
            f"{points.shape}."
        )
    return fit_similarity(points, template(size))


def stretch(width: int, height: int, size: int) -> np.ndarray:
    """The 2x3 float64 matrix that resizes a picture of width x height pixels to size x size and does nothing else."""
    across, down = size / width, size / height
    return np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2]])


def invert(matrix: np.ndarray) -> np.ndarray:
    """The inverse of a 2x3 affine matrix: from crop to picture, of one that goes from picture to crop."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.hstack([linear, -linear @ matrix[:, 2:]])


def scaled(matrix: np.ndarray, factor: float) -> np.ndarray:
    """The matrix to a crop that is some times as large; centres of pixels keep their places.

    Args:
        matrix: 2x3 from picture to crop.
        factor: how many times.

    Returns:
        2x3 from picture to the larger crop.
    """
    larger = factor * matrix
    larger[:, 2] += (factor - 1) / 2
    return larger


def transform(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Points (..., N, 2) carried through a 2x3 matrix (or a stack of them, (..., 2, 3)), float64."""
    return points @ np.swapaxes(matrix[..., :2], -2, -1) + matrix[..., None, :, 2]


def crop(image: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """The aligned square crop; beyond the edge of the picture it shows the picture mirrored.

    Args:
        image: H x W or H x W x C (C up to 4); uint8, uint16 or float32.
        matrix: 2x3 from picture to crop, as `similarity` gives it.
        size: side of the crop in pixels.

    Returns:
        size x size (x C), dtype of ``image``.
    """
    return warp(image, matrix, size, size)


def warp(image: np.ndarray, matrix: np.ndarray, width: int, height: int) -> np.ndarray:
    """A picture under a matrix, free of aliasing when it shrinks, cubic when it grows; beyond its edge it is mirrored.

    Args:
        image: H x W or H x W x C (C up to 4); uint8, uint16 or float32.
        matrix: 2x3 from the picture to the result.
        width, height: of the result in pixels.

    Returns:
        height x width (x C), dtype of `image`.
    """
    back = invert(matrix)
    corners = transform(np.array([(0, 0), (width, 0), (0, height), (width, height)], float), back)
    pixels_per_pixel = math.sqrt(abs(np.linalg.det(back[:, :2])))
    # Only the part that is seen is touched: OpenCV cannot warp from more than 32,767 px, and blurring a
    # whole large photo for one face wastes time. The cubic kernel and the blur want some pixels more.
    margin = 4 + math.ceil(2 * pixels_per_pixel)
    x0, y0 = np.floor(corners.min(0)).astype(int) - margin
    x1, y1 = np.ceil(corners.max(0)).astype(int) + margin
    factor = max(1, int(pixels_per_pixel))
    x1, y1 = x1 + (x0 - x1) % factor, y1 + (y0 - y1) % factor
    part = _mirrored_part(image, x0, y0, x1, y1)
    # first place of the part, then (if it shrinks by 2 or more) the mean over factor x factor pixels
    ahead = np.array([[1, 0, x0], [0, 1, y0], [0, 0, 1]], float)
    if factor > 1:
        part = cv2.resize(part, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
        half = (factor - 1) / 2  # the centre of a mean pixel
        ahead = ahead @ np.array([[factor, 0, half], [0, factor, half], [0, 0, 1]], float)
    rest = pixels_per_pixel / factor
    if rest > 1.05:
        part = cv2.GaussianBlur(part, (0, 0), 0.5 * math.sqrt(rest**2 - 1), borderType=cv2.BORDER_REFLECT_101)
    return cv2.warpAffine(
        part, matrix @ ahead, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )


class Pyramid:
    """A picture with copies of it, each half as large as the one before, made when they are first needed: a small
    patch of a large part of a large picture is then cut from few pixels.

    Args:
        image: H x W or H x W x C (C up to 4); uint8, uint16 or float32.
    """

    def __init__(self, image: np.ndarray):
        self._levels = [image]

    @classmethod
    def of(cls, image: np.ndarray | Pyramid) -> Pyramid:
        """The pyramid of a picture; one that is one already is returned itself."""
        return image if isinstance(image, Pyramid) else cls(image)

    def warp(self, matrix: np.ndarray, width: int, height: int) -> np.ndarray:
        """As `warp` of the picture itself, from the copy that still has two pixels or more for each of the result."""
        level, factor = 0, 1
        while 1 / math.sqrt(abs(np.linalg.det(matrix[:, :2]))) >= 4 * factor and self._reaches(level + 1):
            level, factor = level + 1, 2 * factor
        half = (factor - 1) / 2  # the centre of a pixel of the copy
        ahead = np.array([[factor, 0, half], [0, factor, half], [0, 0, 1]], float)
        return warp(self._levels[level], matrix @ ahead, width, height)

    def _reaches(self, level: int) -> bool:
        """Makes the copy; False if there is nothing left to halve."""
        if level < len(self._levels):
            return True
        height, width = (side // 2 for side in self._levels[-1].shape[:2])
        if not height or not width:
            return False
        even = self._levels[-1][: 2 * height, : 2 * width]
        self._levels.append(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA))
        return True


def _mirrored_part(image: np.ndarray, x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    """``image[y0:y1, x0:x1]`` where the picture goes on as its mirror image beyond its edges."""
    height, width = image.shape[:2]
    if x0 >= 0 and y0 >= 0 and x1 <= width and y1 <= height:
        return image[y0:y1, x0:x1]
    return image[np.ix_(_mirror(y0, y1, height), _mirror(x0, x1, width))]


def _mirror(x0: int, x1: int, length: int) -> np.ndarray:
    """The indices x0..x1-1 folded into 0..length-1 as BORDER_REFLECT_101 does: ... 2 1 0 1 2 ..."""
    period = max(2 * (length - 1), 1)
    folded = np.arange(x0, x1) % period
    return np.minimum(folded, period - folded)
