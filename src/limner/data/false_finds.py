"""What the net of proposals takes for a face though it is none. AlignNet learns to refuse it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch

from limner.data.faces import read_picture
from limner.data.scenes import Scenes
from limner.faces.align import Pyramid
from limner.faces.find import upright_frames
from limner.faces.proposals import Proposals, seen_by
from limner.nets.proposals import ProposalNet

LEAST = 0.02
"""Score of a peak from which it is worth learning from."""
AWAY = 0.6
"""How far from every face a peak must be, in sides of the face's box."""


@torch.inference_mode()
def false_finds(
    net: ProposalNet, others: list[Path], scenes: Scenes, count: int, size: int, most: int
) -> list[np.ndarray]:
    """Upright patches, (size, size, 3) uint8 each, of what is no face.

    Args:
        net: proposes.
        others: files of photographs without a face; each is looked at in copies of full, half and quarter size.
        scenes: as many of them are looked at as `count` says, and only away from their faces.
        count: scenes.
        size: side of the patches in pixels.
        most: patches of one picture.
    """
    found = []
    for path in others:
        photo = read_picture(path)
        pyramid = Pyramid(photo)
        for shrunk in (1, 2, 4):
            small = cv2.resize(photo, None, fx=1 / shrunk, fy=1 / shrunk, interpolation=cv2.INTER_AREA)
            points = (_peaks(net, small).points[:most] + 0.5) * shrunk - 0.5
            found += [pyramid.warp(frame * size, size, size) for frame in upright_frames(points)]
    for number in range(count):
        scene = scenes[number]
        seen = _peaks(net, scene.picture)
        away = np.linalg.norm(seen.points.mean(1)[:, None] - scene.points.mean(1)[None], axis=-1)
        strange = seen.points[(away > AWAY * scene.sides).all(1)][:most]
        pyramid = Pyramid(scene.picture)
        found += [pyramid.warp(frame * size, size, size) for frame in upright_frames(strange)]
    return found


def _peaks(net: ProposalNet, picture: np.ndarray) -> Proposals:
    seen = seen_by(net, picture, LEAST)
    return seen.some(np.flatnonzero(seen.sides > 2))  # of a smaller one there is nothing to cut out
