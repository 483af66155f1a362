"""One face steadied in time: what neighbouring frames agree on is averaged, in the frame that moves with the face.

a moment: a face in a frame, restored alone --> shares w, smoothed --> joined picture, averaged where neighbours agree

All of it happens in the aligned frame of the crop, in which a face that moves holds still: crops of neighbouring frames
lie on one another as their similarities lay them there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from limner.faces.join import Framed, Joined, Joiner
from limner.faces.paste import Place
from limner.restoration import RestoredCrop

SHARES_WITHIN, PICTURES_WITHIN = 2, 5
"""Frames before and after one whose shares and whose pictures count."""
WITHIN = SHARES_WITHIN + PICTURES_WITHIN
"""Frames before and after one that decide what becomes of it."""
_FALL = 2.5
"""Frames over which a neighbour's weight falls, as the deviation of a normal curve."""
_APART = 0.06
"""Difference in parts of white, over some pixels, from which a neighbour hardly counts: it shows something else."""
_SOME = 5 / 256
"""These pixels: the deviation of the blur in parts of the frame's side."""


@dataclass(eq=False)
class Moment:
    """A face in one frame.

    Attributes:
        part: (h, w, 3) float32 in [0, 1], the rectangle of the frame around it.
        place: of the rectangle.
        framed: what it shows.
        restored: (F, F, 3) float32 in [0, 1], by itself, in the frame's tone.
        shares: of the restoration, by itself.
        presence: how much of the restoration is shown at all, 0 to 1.
        joined, origin: its picture in the aligned frame, (F, F, 3) float32, and how much of it is made up, (F, F); None
            until its neighbours' shares are known.
    """

    part: np.ndarray
    place: Place
    framed: Framed
    restored: np.ndarray
    shares: list[torch.Tensor]
    presence: float = 1.0
    joined: np.ndarray | None = None
    origin: np.ndarray | None = None


def moment(
    joiner: Joiner, rgb: np.ndarray, place: Place, restored: RestoredCrop, frame: int, presence: float = 1.0
) -> Moment:
    """A face in a frame, before its neighbours are known.

    Args:
        joiner: of restoration and photograph.
        rgb: (H, W, 3) uint8, the frame.
        place: of the face in it.
        restored: the face by itself.
        frame: side of the aligned frame in pixels, the same for all of a track.
        presence: see `Moment`.
    """
    part = place.cut(rgb)
    framed = joiner.framed(part, place, frame)
    own = joiner.grown(framed, restored.samples[0])
    return Moment(part, place, framed, own, joiner.shares(framed, own), presence)


def join(joiner: Joiner, moments: Mapping[int, Moment], number: int) -> None:
    """Joins a moment's restoration with its photograph by shares that are smoothed in time.

    Args:
        joiner: see `moment`.
        moments: of one track, by their frames; those within `SHARES_WITHIN` of it are there.
        number: of its frame.
    """
    one = moments[number]
    near = {n: moments[n] for n in range(number - SHARES_WITHIN, number + SHARES_WITHIN + 1) if n in moments}
    weights = {n: _weight(n - number) for n in near}
    total = sum(weights.values())
    shares = [
        torch.stack([weights[n] / total * other.shares[octave] for n, other in near.items()]).sum(0)
        for octave in range(len(one.shares))
    ]
    delta, one.origin = joiner.taken(one.framed, one.restored, shares)
    one.joined = one.framed.clean_picture + delta


def steadied(moments: Mapping[int, Moment], number: int) -> Joined:
    """What goes into the frame: a moment's picture, averaged with its neighbours' where they agree.

    Args:
        moments: of one track, by their frames; those within `PICTURES_WITHIN` of it are joined.
        number: of its frame.
    """
    one = moments[number]
    near = [n for n in range(number - PICTURES_WITHIN, number + PICTURES_WITHIN + 1) if n in moments]
    pictures = [picture for n in near if (picture := moments[n].joined) is not None]
    if one.joined is None or one.origin is None or len(pictures) < len(near):
        raise ValueError(f"the moments around frame {number} aren't joined yet")
    average = averaged(one.joined, pictures, [_weight(n - number) for n in near])
    picture = one.framed.cleaned + one.place.unframed(average - one.framed.clean_picture)
    origin = np.clip(one.place.unframed(one.origin), 0, 1)
    picture = np.clip(one.part + np.float32(one.presence) * (picture - one.part), 0, 1)
    return Joined([picture], np.float32(one.presence) * origin)


def averaged(centre: np.ndarray, pictures: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """The mean of pictures, each counting where it shows what the one in the centre shows.

    Args:
        centre: (F, F, 3) float32.
        pictures: likewise, the centre among them.
        weights: of each.

    Returns:
        (F, F, 3) float32.
    """
    total, sum_ = np.zeros(centre.shape[:2], np.float32), np.zeros_like(centre)
    for picture, weight in zip(pictures, weights, strict=True):
        apart = cv2.GaussianBlur(picture - centre, (0, 0), len(centre) * _SOME)
        agree = np.float32(weight) * np.exp(-0.5 * np.square(apart).sum(-1) / (3 * np.float32(_APART) ** 2))
        total += agree
        sum_ += agree[..., None] * picture
    return sum_ / total[..., None]


def _weight(frames: int) -> float:
    return float(np.exp(-0.5 * (frames / _FALL) ** 2))
