"""Puts a restored crop back into its photograph: inverse warp, feathered mask, matched colour."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from limner.faces.align import crop as cut
from limner.faces.align import invert, scaled, transform, warp
from limner.nets.clean import BLOCK

FULL = 0.80  # half-width of the rounded square that is wholly restored, in half crops: eyes to chin lie inside
NOTHING = 0.98  # ... and where nothing of the crop is left
MOST_COLOUR_CHANGE = 0.15  # of full scale: a larger difference is content, not colour


def face_mask(size: int) -> np.ndarray:
    """The share of the restored crop at each pixel: 1 on the face, 0 at the border, with a smooth slope between. It is
    a rounded square, because the restored crop holds hair and ears too.

    Args:
        size: side of the crop in pixels.

    Returns:
        (size, size) float32.
    """
    axis = np.abs(np.linspace(-1, 1, size, dtype=np.float32)) ** 4
    distance = (axis[:, None] + axis[None, :]) ** 0.25
    ramp = np.clip((NOTHING - distance) / (NOTHING - FULL), 0, 1)
    return ramp * ramp * (3 - 2 * ramp)


@dataclass(frozen=True, eq=False)
class Place:
    """The rectangle of a picture in which a crop lies, with all that is needed between the two.

    Attributes:
        rows, columns: of the rectangle; where the crop fades towards its border, it begins with one of JPEG's blocks.
        matrix: 2x3 from the rectangle's pixels to the crop's.
        size: side of the crop in pixels.
        mask: (h, w) float32, how far each pixel of the rectangle is the crop's to change, 0 to 1.
    """

    rows: slice
    columns: slice
    matrix: np.ndarray
    size: int
    mask: np.ndarray

    @classmethod
    def of(cls, matrix: np.ndarray, size: int, width: int, height: int, feathered: bool = True) -> Place | None:
        """Where a crop of `size` px lies in a picture of width x height; None if it lies wholly outside.

        Args:
            matrix: the 2x3 from picture to crop that cut it.
            size, width, height: in pixels.
            feathered: whether the crop fades towards its border, as a face in its surroundings should; a picture that
                is itself a crop is changed out to its edges.
        """
        edges = np.array([(0, 0), (size, 0), (0, size), (size, size)]) - 0.5  # a pixel's centre is its coordinate
        corners = transform(edges, invert(matrix))
        x0, y0 = np.maximum(np.floor(corners.min(0)).astype(int), 0)
        if feathered:
            x0, y0 = (int(start) // BLOCK * BLOCK for start in (x0, y0))
        x1, y1 = np.minimum(np.ceil(corners.max(0)).astype(int) + 1, (width, height))
        if x1 <= x0 or y1 <= y0:
            return None
        own = matrix.astype(float).copy()
        own[:, 2] += matrix[:, :2] @ (x0, y0)
        mask = np.ones((y1 - y0, x1 - x0), np.float32)
        if feathered:
            # linear and with nothing beyond its edge, so that it never leaves the crop
            mask = cv2.warpAffine(face_mask(size), invert(own), (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
        return cls(slice(y0, y1), slice(x0, x1), own, size, mask)

    @property
    def side(self) -> float:
        """The side of the crop in pixels of the picture."""
        return self.size / float(np.sqrt(abs(np.linalg.det(self.matrix[:, :2]))))

    def cut(self, picture: np.ndarray) -> np.ndarray:
        """The rectangle of a picture, (H, W, 3) to (h, w, 3) float32; integers become parts of white, 0 to 1."""
        part = picture[self.rows, self.columns].astype(np.float32)
        return part / np.float32(np.iinfo(picture.dtype).max) if np.issubdtype(picture.dtype, np.integer) else part

    def framed(self, part: np.ndarray, frame: int) -> np.ndarray:
        """The rectangle as an aligned crop.

        Args:
            part: (h, w, 3).
            frame: side of the crop in pixels.

        Returns:
            (frame, frame, 3), of the same dtype.
        """
        return cut(part, scaled(self.matrix, frame / self.size), frame)

    def unframed(self, crop: np.ndarray) -> np.ndarray:
        """An aligned crop, (F, F) or (F, F, C) of any F, brought to the rectangle, (h, w) or (h, w, C); beyond its edge
        it is mirrored."""
        height, width = self.mask.shape
        return warp(crop, invert(scaled(self.matrix, len(crop) / self.size)), width, height)


def lay(image: np.ndarray, part: np.ndarray, place: Place, grain: np.ndarray | None = None) -> None:
    """Lays a changed rectangle over a picture, as far as its mask goes.

    Args:
        image: H x W x 3, uint8, uint16, or float in [0, 1]; it is changed where the mask is not 0, and nowhere else.
        part: (h, w, 3) float32 in [0, 1], same colour space as `image`.
        place: of the rectangle.
        grain: (h, w, 3) float32, in parts of white, that is added to the two where they have been blended.
    """
    white = float(np.iinfo(image.dtype).max) if np.issubdtype(image.dtype, np.integer) else 1.0
    there = image[place.rows, place.columns]
    original = there.astype(np.float32)
    blended = original + place.mask[..., None] * (np.clip(part, 0, 1) * np.float32(white) - original)
    if grain is not None:
        blended += grain * np.float32(white)
    if np.issubdtype(image.dtype, np.integer):
        blended = np.clip(np.rint(blended), 0, white)
    np.copyto(there, blended.astype(image.dtype), where=place.mask[..., None] > 0)


def matched(photo: np.ndarray, restored: np.ndarray, place: Place) -> np.ndarray:
    """A restored crop with its low frequencies brought to those around the face, in its rectangle.

    Args:
        photo: (h, w, 3) float32 in [0, 1], the rectangle as it is.
        restored: (S, S, 3) float32 in [0, 1].
        place: of the rectangle.

    Returns:
        (h, w, 3) float32 in [0, 1].
    """
    height, width = photo.shape[:2]
    inside = _inside(place.matrix, place.size, width, height)
    crop = _match_colour(restored, place.framed(photo, place.size), inside)
    return np.clip(place.unframed(crop), 0, 1)


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
