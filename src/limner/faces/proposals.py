"""Where a face might be: generous guesses that AlignNet sorts.

A guess is a *frame*: the 2x3 matrix that carries the picture to an upright square patch of side 1 with the guessed
face in its middle. Guesses may come from a turned copy of the picture; the frame contains the turn.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from limner.nets.proposals import decoded

# How the cascade's boxes lie on faces, measured on the training crops: 2.6 eye distances wide (deviation 0.26),
# their centre a little above that of an upright patch, which is 3.2 eye distances wide.
PATCH_PER_BOX = 1.23
CENTRE_BELOW = 0.025
SMALLEST_BOX = 24
LONGEST_GRID = 2.0  # ratio of the sides up to which a picture may be one face's crop


class _OfThread(threading.local):
    """A cascade keeps what it searches in itself, so that each thread has its own."""

    def __init__(self) -> None:
        folder = Path(cv2.__file__).parent / "data"
        self.cascade = cv2.CascadeClassifier(str(folder / "haarcascade_frontalface_alt2.xml"))


_OF_THREAD = _OfThread()


def scale_of(width: int, height: int, side: int) -> float:
    """What a picture is shrunk by so that it has no more pixels than a square of this side; 1 where it has no more. A
    limit of the longer side would leave nothing of the faces of a panorama."""
    return min(1.0, side / math.sqrt(width * height))


def haar(grey: np.ndarray, angle: float, side: int, step: float = 1.08) -> np.ndarray:
    """What the frontal cascade takes for faces in a turned copy of the picture.

    Args:
        grey: H x W uint8.
        angle: degrees that the copy is turned by, anticlockwise; faces tilted clockwise by it stand upright there.
        side: the copy is shrunk so that the picture has no more pixels than a square of this side.
        step: ratio of two neighbouring scales of the search.

    Returns:
        Frames (N, 2, 3); none of a picture that would shrink to a line.
    """
    height, width = grey.shape
    scale = scale_of(width, height, side)
    if scale * min(height, width) < 1:
        return np.empty((0, 2, 3))
    shrunk = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
    turn, size = _turn(shrunk.shape[1], shrunk.shape[0], angle)
    turned = cv2.warpAffine(shrunk, turn, size, flags=cv2.INTER_LINEAR) if angle else shrunk
    turn[:, :2] *= scale
    boxes = _OF_THREAD.cascade.detectMultiScale(turned, step, 2, minSize=(SMALLEST_BOX, SMALLEST_BOX))
    if len(boxes) == 0:
        return np.empty((0, 2, 3))
    x, y, found = np.asarray(boxes, np.float64)[:, :3].T
    return _frames(x + found / 2, y + found * (0.5 + CENTRE_BELOW), PATCH_PER_BOX * found, turn)


def grid(width: int, height: int, angles: Iterable[float]) -> np.ndarray:
    """Windows over the whole picture, from one that is larger than the picture down to half of its shorter side. They
    are for pictures that the cascade finds nothing in: faces blurred beyond any edge, and crops tight around a face.
    AlignNet forgives a shift of 0.2 and a factor of 1.5, so the windows may stand wide apart.

    Args:
        width, height: of the picture in pixels; one that is more than twice as long as wide has no windows.
        angles: degrees that copies of the picture are turned by.

    Returns:
        Frames (N, 2, 3).
    """
    frames = [np.empty((0, 2, 3))]
    if max(width, height) > LONGEST_GRID * min(width, height):
        return frames[0]
    for angle in angles:
        turn, (turned_width, turned_height) = _turn(width, height, angle)
        for share in (1.25, 0.9, 0.65, 0.47):
            side = share * min(width, height)
            columns, rows = (
                max(1, math.ceil((span - side) / (0.3 * side)) + 1) for span in (turned_width, turned_height)
            )
            x, y = np.meshgrid(_spread(turned_width, side, columns), _spread(turned_height, side, rows))
            frames.append(_frames(x.ravel(), y.ravel(), np.full(x.size, side), turn))
    return np.concatenate(frames)


def _spread(span: int, side: float, count: int) -> np.ndarray:
    """Centres of ``count`` windows of ``side`` that cover 0..span evenly."""
    return np.linspace(side / 2, span - side / 2, count) if count > 1 else np.array([span / 2])


def _turn(width: int, height: int, angle: float) -> tuple[np.ndarray, tuple[int, int]]:
    """The matrix that turns a picture about its centre onto a canvas that just holds it, and the canvas' size."""
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1)
    cosine, sine = abs(turn[0, 0]), abs(turn[0, 1])
    size = round(width * cosine + height * sine), round(width * sine + height * cosine)
    turn[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    return turn, size


def _frames(x: np.ndarray, y: np.ndarray, side: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Frames of squares given by centre and side in the turned picture."""
    frames = np.repeat(turn[None].astype(np.float64), len(x), 0)
    frames[:, 0, 2] -= x - side / 2
    frames[:, 1, 2] -= y - side / 2
    return frames / side[:, None, None]


@dataclass(frozen=True, eq=False)
class Proposals:
    """Where faces may be in a picture, most likely first.

    Attributes:
        scores: (N,) in 0..1.
        points: (N, 5, 2) in pixels of the picture.
        sides: (N,) of the boxes in pixels.
    """

    scores: np.ndarray
    points: np.ndarray
    sides: np.ndarray


def peaks(heat: Tensor, sizes: Tensor, offsets: Tensor, least: float) -> Proposals:
    """The peaks of one picture's heat map, read as CenterNet reads them: cells that no neighbour exceeds.

    Args:
        heat, sizes: (h, w), as `ProposalNet` gives them.
        offsets: (5, 2, h, w), likewise.
        least: score from which a peak counts.
    """
    highest = F.max_pool2d(heat[None], 3, stride=1, padding=1)[0]
    y, x = torch.nonzero((heat == highest) & (heat >= math.log(least / (1 - least))), as_tuple=True)
    sides, points = decoded(sizes[None], offsets[None])
    scores, order = heat[y, x].sigmoid().sort(descending=True, stable=True)
    y, x = y[order], x[order]
    return Proposals(
        scores.double().cpu().numpy(),
        points[0][..., y, x].permute(2, 0, 1).double().cpu().numpy(),
        sides[0][y, x].double().cpu().numpy(),
    )
