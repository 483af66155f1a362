"""Where a face might be: what a net sees in copies of a photograph, each half as large as the one before.

Shrinking hides damage: at 20 px a face is sharp that is blurred beyond recognition at 300. So every face is seen in the
copies where it is small, whatever its size in the photograph.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from limner.device import frozen_pass
from limner.nets.blocks import padded
from limner.nets.proposals import STEP, ProposalNet, decoded
from limner.pixels import to_tensor

LARGEST_COPY = 800
"""Side of the square with as many pixels as the largest copy that is looked at."""
SMALLEST_COPY = 20
"""Shorter side in pixels of the smallest one; a face that fills it is no larger than the net knows them."""
SMALLEST_BOX = 11.0
"""Side in pixels of the smallest faces that the net finds in a copy."""
SAME_PLACE, SAME_SIZE = 0.3, 0.4
"""How far two proposals of one face may lie apart, in sides of its box, and the logarithms of their sizes."""
RIM = 16
"""Pixels around a copy, in its mean colour: a face that fills the photograph stands before something then, too."""


def scale_of(width: int, height: int, side: int) -> float:
    """What a picture is shrunk by so that it has no more pixels than a square of this side; 1 where it has no more. A
    limit of the longer side would leave nothing of the faces of a panorama."""
    return min(1.0, side / math.sqrt(width * height))


@dataclass(frozen=True, eq=False)
class Proposals:
    """Where faces may be in a picture.

    Attributes:
        scores: (N,) in 0..1.
        points: (N, 5, 2) in pixels of the picture.
        sides: (N,) of the boxes in pixels.
        copies: (N,) numbers of the copies that they were seen in, 0 for the largest.
    """

    scores: np.ndarray
    points: np.ndarray
    sides: np.ndarray
    copies: np.ndarray

    def some(self, chosen: Sequence[int] | np.ndarray) -> Proposals:
        """Those at these places."""
        places = np.array(chosen, int)
        return Proposals(self.scores[places], self.points[places], self.sides[places], self.copies[places])

    def distinct(self) -> Proposals:
        """The best of each group that is much the same in place and size, best first. Others may well lie on one
        another: which is the face, and which a part of it, is not for this net to say."""
        kept = list[int]()
        for one in np.argsort(-self.scores, kind="stable").tolist():
            if not self.some(kept).alike(self, one).any():
                kept.append(one)
        return self.some(kept)

    def alike(self, others: Proposals, one: int) -> np.ndarray:
        """Which of these are much the same in place and size as one of the others, (N,) bool."""
        side = others.sides[one]
        away = np.linalg.norm(self.points.mean(1) - others.points[one].mean(0), axis=1)
        return (away < SAME_PLACE * side) & (np.abs(np.log(self.sides / side)) < SAME_SIZE)

    def seconded(self, others: Proposals, least: float) -> np.ndarray:
        """The best score that each of `others`, (N,), has among these in another copy than its own; `least` where no
        other copy shows it."""
        scores = np.full(len(others.scores), least)
        for one, copy in enumerate(others.copies):
            again = self.scores[self.alike(others, one) & (self.copies != copy)]
            scores[one] = again.max(initial=least)
        return scores


def propose(net: ProposalNet, rgb: np.ndarray, least: float) -> Proposals:
    """Where faces may be in a photograph. One face may be proposed more than once, from several copies.

    Args:
        net: in evaluation mode.
        rgb: (H, W, 3) uint8.
        least: score from which a peak counts, 0 to 1.
    """
    seen = [Proposals(np.empty(0), np.empty((0, 5, 2)), np.empty(0), np.empty(0, int))]
    for number, (copy, scale) in enumerate(copies(rgb)):
        found = look_over(net, copy, least)
        points, sides = (found.points + 0.5) / scale - 0.5, found.sides / scale.mean()
        seen.append(Proposals(found.scores, points, sides, found.copies + number))
    return Proposals(*(np.concatenate([getattr(one, part.name) for one in seen]) for part in fields(Proposals)))


def copies(rgb: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Smaller and smaller copies of a photograph, (h, w, 3) uint8, each with its widths and heights over the
    photograph's, (2,)."""
    height, width = rgb.shape[:2]
    scale = scale_of(width, height, LARGEST_COPY)
    copy = rgb
    while min(size := (round(width * scale), round(height * scale))) >= SMALLEST_COPY:
        if copy.shape[1::-1] != size:
            copy = cv2.resize(copy, size, interpolation=cv2.INTER_AREA)
        yield copy, np.array(size) / (width, height)
        scale /= 2


def look_over(net: ProposalNet, copy: np.ndarray, least: float) -> Proposals:
    """What the net sees in a copy itself, in pixels of the copy, (h, w, 3) uint8; see `propose`."""
    below, right = (-(length + 2 * RIM) % STEP + RIM for length in copy.shape[:2])
    rimmed = cv2.copyMakeBorder(copy, RIM, below, RIM, right, cv2.BORDER_CONSTANT, value=cv2.mean(copy))
    with frozen_pass():
        seen = seen_by(net, rimmed, least)
    return replace(seen, points=seen.points - RIM)


@torch.inference_mode()
def seen_by(net: ProposalNet, picture: np.ndarray, least: float) -> Proposals:
    """What the net sees in one picture itself, (H, W, 3) uint8, in its pixels; see `propose`."""
    batch = padded(to_tensor(picture)[None], STEP).contiguous(memory_format=torch.channels_last)
    heat, sizes, offsets = net(batch.to(net.device))
    return peaks(heat[0], sizes[0], offsets[0], least)


def peaks(heat: Tensor, sizes: Tensor, offsets: Tensor, least: float) -> Proposals:
    """The peaks of one picture's heat map, read as CenterNet reads them: cells that no neighbour exceeds.

    Args:
        heat, sizes: (h, w), as `ProposalNet` gives them.
        offsets: (5, 2, h, w), likewise.
        least: score from which a peak counts.

    Returns:
        What is there, best first.
    """
    highest = F.max_pool2d(heat[None], 3, stride=1, padding=1)[0]
    y, x = torch.nonzero((heat == highest) & (heat >= math.log(least / (1 - least))), as_tuple=True)
    scores, order = heat[y, x].sigmoid().sort(descending=True, stable=True)
    y, x = y[order], x[order]
    sides, points = decoded(sizes[None], offsets[None])
    found = points[0][..., y, x].permute(2, 0, 1)
    seen = (one.double().cpu().numpy() for one in (scores, found, sides[0][y, x]))
    return Proposals(*seen, copies=np.zeros(len(scores), int))


def frames(centres: np.ndarray, angles: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Frames (N, 2, 3), picture to patch of side 1, of squares about centres (N, 2), turned clockwise
    by angles in radians, of these sides."""
    linear = np.stack([np.cos(angles), np.sin(angles), -np.sin(angles), np.cos(angles)], -1).reshape(-1, 2, 2)
    linear = linear / sides[:, None, None]
    return np.concatenate([linear, 0.5 - linear @ centres[..., None]], -1)
