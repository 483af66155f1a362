"""Finds the faces of a photograph: boxes, five points and scores.

The default way works offline: a small net proposes (`proposals.py`), and AlignNet looks at the upright patch that each
proposal's points define, says where the points are, looks again at the patch that those define, and judges. `yunet`
uses OpenCV's `FaceDetectorYN` with its published ONNX file instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch

from limner.device import frozen_pass
from limner.errors import LimnerError
from limner.faces import proposals
from limner.faces import yunet as yunet_net
from limner.faces.align import Pyramid, fit_similarity, transform
from limner.faces.proposals import Proposals
from limner.faces.tone import tone
from limner.nets.alignnet import AlignNet, upright_points
from limner.nets.proposals import ProposalNet
from limner.photo.photo import Photo, Picture
from limner.pixels import without_colour
from limner.weights.load import load_net

Detector = Literal["limner", "yunet"]
DETECTORS = get_args(Detector)

FAINT = 0.1  # score of a proposal below which it is as good as none
LIKELY = 0.3  # ... below which it is not looked at
# ... and of a small one. No copy hides damage in its way, and of such there are many in hair, grass and gravel:
# proposals of up to 0.72 there convinced AlignNet, while those of Solvay's faces are 0.76 or more.
SMALL, LIKELY_SMALL = 48.0, 0.75
WORTH_A_LOOK = 0.2  # score after a first look below which it is dropped
PLAIN = 0.5  # score of a proposal from which it is looked at turned, where the first look sees no face
TURNS = np.deg2rad((0, 90, 180, 270))
STILL = 0.25  # eye distances that the points may move from one look to the next
# Score from which it is a face: half the sum of the logits of proposal, second copy and steady look. At 60 to 100 px an
# earring, an ear and a sign had .86 to .91: there are more places for a small face than for a large one.
CONVINCING, CONVINCING_LARGE, LARGE = 0.94, 0.84, 128.0
SMALLEST_FACE = 20.0  # side of the box in pixels
BOX_PER_PATCH = 0.75  # the box reaches from brow to chin, the patch shows the hair too
ZOOMS = (0.88, 1.0, 1.13)  # of the patches that the steady look takes the mean of
BATCH = 64

Sightings = tuple[np.ndarray, np.ndarray]
"""Scores (N,) in 0..1 and points in the picture, (N, 5, 2)."""


@dataclass(frozen=True, eq=False)
class Face:
    """A found face, in pixels of the photograph, (0, 0) the centre of the upper left one.

    Attributes:
        box: x0, y0, x1, y1 of a square around the face; it may reach over the edge of the photograph.
        landmarks: (5, 2) float32: left eye, right eye, nose, left and right mouth corner, left and right as seen.
        score: how sure the detector is, 0 to 1.
        number: its place among all faces of the photograph, 0 for the largest.
    """

    box: tuple[float, float, float, float]
    landmarks: np.ndarray
    score: float
    number: int = 0

    @property
    def size(self) -> float:
        """Side of the box in pixels."""
        return self.box[2] - self.box[0]


def find_faces(photo: Picture, detector: str = "limner", yunet: Path | None = None) -> list[Face]:
    """All faces of a photograph, largest first.

    Args:
        photo: a path, a `Photo`, a picture of Pillow's or an array, as `Photo.of` takes it.
        detector: "limner" (its own nets, built in) or "yunet".
        yunet: the ONNX file of YuNet, for that detector; by default the fetched one.

    Raises:
        LimnerError: an unknown detector, a YuNet file that is missing or unreadable, or what is no photo.
    """
    if detector not in DETECTORS:
        raise LimnerError(f"There is no detector '{detector}': choose one of {', '.join(DETECTORS)}.")
    rgb = Photo.of(photo).srgb()
    faces = _find_with_yunet(rgb, yunet) if detector == "yunet" else _find_with_nets(rgb)
    return [replace(face, number=n) for n, face in enumerate(sorted(faces, key=lambda face: -face.size))]


def smallest_found(width: int, height: int, detector: str = "limner") -> float:
    """Side in pixels of the smallest faces that are searched for in a photograph.

    Args:
        width, height: of the photograph in pixels.
        detector: as for `find_faces`.
    """
    if detector == "yunet":
        return yunet_net.SMALLEST / proposals.scale_of(width, height, yunet_net.SIDE)
    return max(SMALLEST_FACE, proposals.SMALLEST_BOX / proposals.scale_of(width, height, proposals.LARGEST_COPY))


def choose_faces(
    faces: Sequence[Face],
    which: Literal["all", "largest"] | Sequence[int] = "all",
    min_size: float = 0,
    min_score: float = 0,
) -> list[Face]:
    """The faces to restore.

    Args:
        faces: as `find_faces` gives them, largest first.
        which: all, the largest, or positions in ``faces`` from 0.
        min_size: smallest side of the box in pixels.
        min_score: smallest score.

    Raises:
        LimnerError: a position that no face has.
    """
    if isinstance(which, str):
        if which not in ("all", "largest"):
            raise LimnerError(f"'{which}' is no choice of faces: give all, largest, or numbers such as 0,2.")
        chosen = list(faces)
    else:
        for index in which:
            if not 0 <= index < len(faces):
                there = "1, face 0" if len(faces) == 1 else f"{len(faces)} (0 to {len(faces) - 1})" if faces else "none"
                raise LimnerError(f"There is no face {index}: the photo has {there}.")
        chosen = [faces[index] for index in which]
    chosen = [face for face in chosen if face.size >= min_size and face.score >= min_score]
    return sorted(chosen, key=lambda face: -face.size)[:1] if which == "largest" else chosen


def _find_with_yunet(rgb: np.ndarray, file: Path | None) -> list[Face]:
    points, scores = yunet_net.detect(rgb, file)
    return [face_of(points[index], float(scores[index])) for index in merge(points, scores, 0)]


def _find_with_nets(rgb: np.ndarray) -> list[Face]:
    # The nets know no blue faces, as prints in Prussian blue show them: of one tint they see the lightness alone.
    seen = rgb if tone(rgb).kind == "colour" else without_colour(rgb)
    every = proposals.propose(load_proposal_net(), seen, FAINT)
    likely = (every.scores >= LIKELY) & ((every.sides >= SMALL) | (every.scores >= LIKELY_SMALL))
    found = every.some(np.flatnonzero(likely)).distinct()
    # What is no face looks like one in a single copy only. A small face may be too small for a second.
    again = np.maximum(every.seconded(found, FAINT), np.where(found.sides < SMALL, 0.5, 0))
    chances = _sigmoid(_logits(found.scores) + _logits(again))
    net, picture = load_alignnet(), Pyramid(seen)
    scores, points = look(net, picture, upright_frames(found.points))
    # Of a face beyond recognition the first net sees where it is, but not which way is up.
    joined = _joined(chances, scores)
    doubted = [k for k in merge(points, joined, 0) if joined[k] < CONVINCING and found.scores[k] >= PLAIN]
    if doubted:
        turned, turned_points = _look_turned(net, picture, found.some(doubted))
        better = turned > scores[doubted]
        at = np.array(doubted)[better]
        scores[at], points[at] = turned[better], turned_points[better]
    # Where a look has moved the points far its patch was no upright one yet.
    moved = (_wander(found.points, points) > STILL) & (_joined(chances, scores) >= WORTH_A_LOOK)
    scores[moved], points[moved] = look(net, picture, upright_frames(points[moved]))
    return _refined(net, picture, chances, (scores, points))


def _look_turned(net: AlignNet, picture: Pyramid, found: Proposals) -> Sightings:
    """What AlignNet sees, in two looks, at proposals that it takes by their size alone, turned each by the best of
    `TURNS`."""
    fit = fit_similarity(upright_points(1), found.points)
    angles = np.arctan2(fit[:, 1, 0], fit[:, 0, 0])
    centres = transform(np.array([[0.5, 0.5]]), fit)[:, 0]
    frames = [proposals.frames(centres, angles + turn, found.sides / BOX_PER_PATCH) for turn in TURNS]
    _, points = look(net, picture, np.concatenate(frames))
    scores, points = look(net, picture, upright_frames(points))
    scores, points = scores.reshape(len(TURNS), -1), points.reshape(len(TURNS), -1, 5, 2)
    best = scores.argmax(0), np.arange(len(angles))
    return scores[best], points[best]


@lru_cache(maxsize=1)
def load_proposal_net() -> ProposalNet:
    """The embedded net of proposals, in float32 on the CPU.

    Raises:
        WeightsError: the installation lacks its weights.
    """
    return load_net("mini/proposals", ProposalNet)


@lru_cache(maxsize=1)
def load_alignnet() -> AlignNet:
    """The embedded AlignNet, in float32 on the CPU.

    Raises:
        WeightsError: the installation lacks its weights.
    """
    return load_net("mini/alignnet", AlignNet)


@torch.inference_mode()
def look(net: AlignNet, rgb: np.ndarray | Pyramid, frames: np.ndarray) -> Sightings:
    """AlignNet's opinion of each frame.

    Args:
        net: the AlignNet.
        rgb: H x W x 3 uint8, or the pyramid of that.
        frames: (N, 2, 3), picture to patch of side 1.

    Returns:
        Scores (N,) in 0..1 and the points in the picture, (N, 5, 2).
    """
    size, picture = int(net.config["sample_size"]), Pyramid.of(rgb)
    scores, points = [np.empty(0)], [np.empty((0, 5, 2))]
    for first in range(0, len(frames), BATCH):
        some = frames[first : first + BATCH]
        patches = np.stack([picture.warp(frame * size, size, size) for frame in some])
        batch = torch.from_numpy(patches).to(next(net.parameters()).device).permute(0, 3, 1, 2).float() / 255
        batch = batch.contiguous(memory_format=torch.channels_last)
        with frozen_pass():
            logits, found, _ = net(batch)
        scores.append(logits.sigmoid().double().cpu().numpy())
        points.append(_back(found.double().cpu().numpy(), some))
    return np.concatenate(scores), np.concatenate(points)


def look_steadily(net: AlignNet, rgb: np.ndarray | Pyramid, frames: np.ndarray) -> Sightings:
    """AlignNet's opinion of upright frames, the mean over some zooms and their mirror images; of faces smaller than a
    patch, which show no more, over one zoom. So the points of validation crops are a quarter more exact.

    Args:
        net: the AlignNet.
        rgb: H x W x 3 uint8, or the pyramid of that.
        frames: (N, 2, 3), picture to patch of side 1, upright already.

    Returns:
        As `look`.
    """
    scores, points = np.empty(len(frames)), np.empty((len(frames), 5, 2))
    large = 1 / np.hypot(frames[:, 0, 0], frames[:, 1, 0]) > int(net.config["sample_size"])
    for some, zooms in ((large, ZOOMS), (~large, (1.0,))):
        scores[some], points[some] = _mean_look(net, rgb, frames[some], zooms)
    return scores, points


def _mean_look(net: AlignNet, rgb: np.ndarray | Pyramid, frames: np.ndarray, zooms: Sequence[float]) -> Sightings:
    count, several = len(frames), []
    for zoom in zooms:
        for sign in (1, -1):  # x' = 1/2 +- zoom (x - 1/2), mirrored about the middle of the patch
            factor = np.array([[sign * zoom], [zoom]])
            several.append(np.concatenate([factor * frames[..., :2], 0.5 + factor * (frames[..., 2:] - 0.5)], -1))
    scores, points = look(net, rgb, np.concatenate(several))
    points = points.reshape(len(several), count, 5, 2)
    points[1::2] = points[1::2][:, :, [1, 0, 2, 4, 3]]
    return _sigmoid(_logits(scores).reshape(len(several), count).mean(0)), points.mean(0)


def _logits(scores: np.ndarray) -> np.ndarray:
    return np.log(np.clip(scores, 1e-12, 1) / np.clip(1 - scores, 1e-12, 1))


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))


def upright_frames(points: np.ndarray) -> np.ndarray:
    """The frames (N, 2, 3) that lay points (N, 5, 2) of the picture on those of an upright patch."""
    return fit_similarity(points, upright_points(1))


def look_closely(net: AlignNet, rgb: np.ndarray, frames: np.ndarray) -> list[Face]:
    """The faces among rough frames: a look at those in place of a proposal, one at the upright patch that its points
    define, and a steady one at the patch that those define.

    Args:
        net: the AlignNet.
        rgb: H x W x 3 uint8.
        frames: (N, 2, 3), picture to patch of side 1.
    """
    picture = Pyramid(rgb)
    chances, points = look(net, picture, frames)
    return _refined(net, picture, chances, look(net, picture, upright_frames(points)))


def _refined(net: AlignNet, picture: Pyramid, chances: np.ndarray, seen: Sightings) -> list[Face]:
    """The faces among what AlignNet has seen at proposals whose scores are `chances`."""
    scores, points = seen
    keep = merge(points, _joined(chances, scores), WORTH_A_LOOK)
    chances, before = chances[keep], points[keep]
    scores, points = look_steadily(net, picture, upright_frames(before))
    # A face holds still under a second look; on anything else the points wander.
    scores = np.where(_wander(before, points) < STILL, _joined(chances, scores), 0)
    found = [face_of(points[index], float(scores[index])) for index in merge(points, scores, CONVINCING_LARGE)]
    return [face for face in found if face.size >= SMALLEST_FACE and (face.size >= LARGE or face.score >= CONVINCING)]


def _joined(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The score between two nets': either alone is fooled by other things than the other."""
    return _sigmoid((_logits(one) + _logits(other)) / 2)


def merge(points: np.ndarray, scores: np.ndarray, least: float) -> list[int]:
    """Which of N findings to keep, one for each face. Two findings are one face if the centre of the one lies well
    inside the other. This merges an eye taken for a face with the face around it as well as two boxes that overlap.

    Args:
        points: (N, 5, 2) in the picture.
        scores: (N,).
        least: the score that a face must have.

    Returns:
        Their places, best first.
    """
    boxes = [_box(five) for five in points]
    kept: list[int] = []
    for index in np.argsort(-scores, kind="stable"):
        centre, side = boxes[index]
        if scores[index] < least or not np.isfinite(points[index]).all():
            continue
        if all(np.linalg.norm(centre - boxes[k][0]) > 0.45 * max(side, boxes[k][1]) for k in kept):
            kept.append(int(index))
    return kept


def _back(points: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Points (N, 5, 2) of patches in the picture."""
    linear = np.linalg.inv(frames[..., :2])
    return transform(points - frames[:, None, :, 2], np.concatenate([linear, np.zeros((len(frames), 2, 1))], -1))


def _wander(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Mean way of the five points between two looks, in eye distances of the fitted template, (N,)."""
    fit = fit_similarity(upright_points(1), after)
    eyes = np.hypot(fit[:, 0, 0], fit[:, 1, 0]) * np.linalg.norm(np.subtract(*upright_points(1)[:2]))
    return np.linalg.norm(after - before, axis=-1).mean(-1) / np.maximum(eyes, 1e-6)


def _box(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre and side of the square around the face with these five points."""
    fit = fit_similarity(upright_points(1), points)
    return transform(np.array([[0.5, 0.5]]), fit)[0], BOX_PER_PATCH * float(np.hypot(fit[0, 0], fit[1, 0]))


def face_of(points: np.ndarray, score: float) -> Face:
    """The face of five points, (5, 2)."""
    centre, side = _box(points)
    x0, y0, x1, y1 = (float(one) for one in (*(centre - side / 2), *(centre + side / 2)))
    return Face((x0, y0, x1, y1), points.astype(np.float32), score)
