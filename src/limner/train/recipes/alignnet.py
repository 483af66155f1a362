"""Trains AlignNet on aligned crops thrown about by known transforms, and on patches that are no face.

The truth of a sample costs nothing: the five points of a crop are known, so they are known under any homography that
the crop is warped with. Face patches are drawn as the finder shows them: nearly upright by the points of a proposal,
some of them rough. Most patches without a face are what the net of proposals took for one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from limner.data.faces import MESH_POINTS, FaceSet
from limner.data.false_finds import false_finds
from limner.data.nofaces import FOLDER, photographs_of_nobody
from limner.data.occluders import cover
from limner.data.scenes import Scenes
from limner.data.wear import SIZE, spoil, texture
from limner.errors import LimnerError
from limner.evaluate.landmarks import measure_net
from limner.faces.align import fit_similarity
from limner.nets.alignnet import AlignNet, upright_points
from limner.nets.proposals import ProposalNet
from limner.train.recipe import Batch, MiniTraining, Preset, Recipe
from limner.train.starting import begin
from limner.train.validation import Report, on_the_processor

SCENE = 192
"""Side in pixels of the scenes that false proposals are taken from."""
STORED = (160, 96)  # sides of the decoded crops: the smaller serves patches that show more than a face
SWAP_SIDES = [1, 0, 2, 4, 3]
TILT = 75.0  # degrees that a rough face patch may be off upright

MINED = 1_500
"""Scenes that false proposals are taken from, and how many of one picture."""
OF_ONE = 6

NOISE = 0.006
"""Of the labels, in eye distances."""

TRAINING = MiniTraining(
    steps=20_000,
    batch=32,
    lr=3e-3,
    final_lr=1e-5,
    warmup=200,
    weight_decay=1e-2,
    clip=1.0,
)


def alignnet(
    data: Path | str,
    preset: Preset = "mini",
    seed: int = 0,
    start: str | Path | None = None,
    proposals: str | Path = "mini/proposals",
) -> Recipe[AlignNet]:
    """The recipe of the net that judges proposals and places their points.

    Args:
        data: folder of aligned faces with `index.csv` and `landmarks_mediapipe.csv`; a folder `nofaces` beside it is
            used where there is one.
        preset: "mini", the embedded net.
        seed: of samples and initial weights.
        start: an AlignNet to go on from, a name of the catalogue or a folder; None begins anew.
        proposals: the net that it must see through.

    Raises:
        LimnerError: there is no such preset, or the data lacks its tables.
        WeightsError: there is no such net, or it is another one.
    """
    if preset != "mini":
        raise LimnerError(f"AlignNet has one preset, 'mini', not '{preset}'.")
    torch.manual_seed(seed)
    proposing = begin(ProposalNet, proposals, ProposalNet).eval()
    beside = Path(data).parent / FOLDER
    others = photographs_of_nobody(beside, measured=False) if beside.is_dir() else []
    faces, validation = (FaceSet.open(data, split, points=MESH_POINTS) for split in ("train", "val"))

    def patches(faces: FaceSet, others: list[Path], count: int) -> Patches:
        scenes = Scenes(faces, others, SCENE, seed + 2)
        return Patches(faces, seed, lambda: false_finds(proposing, others, scenes, count, SIZE, OF_ONE))

    shown = patches(validation, others[::10], MINED // 15)

    return Recipe(
        name="alignnet",
        model=begin(lambda: AlignNet(sample_size=SIZE), start, AlignNet),
        data=patches(faces, others, MINED),
        loss=loss,
        training=TRAINING,
        validation=on_the_processor(lambda net: Report(figures(net, shown), preview(net, shown))),
        seed=seed,
    )


def loss(net: AlignNet, batch: Batch, generator: torch.Generator) -> torch.Tensor:
    """Cross-entropy of face or not; and for faces the distance of the points in eye distances, by the logarithm that
    Wing loss begins with (Feng et al. 2018), and the cross-entropy of the heat maps, because the distance alone says
    little to a map that is still flat."""
    logits, points, heat = net(batch["patch"].float() / 255)
    face = batch["face"]
    judged = F.binary_cross_entropy_with_logits(logits, face)
    eyes = batch["eyes"][:, None, None]
    # A clear face, which can be seen exactly, thus weighs more than a damaged one.
    distance = ((points - batch["points"]).abs() / (eyes * NOISE)).log1p().mean((1, 2))
    surprise = -(cells(batch["points"], heat.shape[-1]) * heat.flatten(2).log_softmax(-1)).sum(-1).mean(1)
    return judged + ((0.6 * distance + 0.3 * surprise) * face).sum() / face.sum().clamp(min=1)


def cells(points: torch.Tensor, count: int) -> torch.Tensor:
    """The distribution over ``count`` x ``count`` heat cells, (B, 5, count^2), that sits on the four cells next to
    each of the points (B, 5, 2) and has the point for its expectation."""
    place = ((points + 0.5 / SIZE) * count - 0.5).clamp(0, count - 1)
    axis = torch.arange(count, device=points.device)
    x, y = (1 - (place[..., None] - axis).abs()).clamp(min=0).unbind(2)
    return (y[..., :, None] * x[..., None, :]).flatten(2)


@dataclass
class Patches:
    """The stream of training patches; sample `n` is fixed by (seed, n).

    A sample: `patch` (3, S, S) uint8, `face` 0 or 1, `points` (5, 2) in sides of the patch, `eyes` the size of the
    face as the eye distance of the fitted template, in the same unit.

    Attributes:
        faces: aligned crops.
        seed: of all choices.
        mined: gives patches without a face that a proposal lay on, (S, S, 3) uint8; asked once, when first needed.
    """

    faces: FaceSet
    seed: int = 0
    mined: Callable[[], list[np.ndarray]] = list
    face_share: ClassVar[float] = 0.72
    rough_share: ClassVar[float] = 0.2
    refused_share: ClassVar[float] = 0.5

    @cached_property
    def refused(self) -> list[np.ndarray]:
        """What `mined` gives."""
        return self.mined()

    def __getitem__(self, n: int) -> Batch:
        rng = np.random.default_rng((self.seed, n))
        is_face = rng.random() < self.face_share
        points, eyes = np.full((5, 2), 0.5), 0.3
        if is_face:
            patch, points, eyes = self._face(rng)
        elif self.refused and rng.random() < self.refused_share:
            patch = self.refused[int(rng.integers(len(self.refused)))][:, :: 1 if rng.random() < 0.5 else -1]
        elif rng.random() < 0.15:
            patch = texture(rng)
        else:
            patch = self._no_face(rng)
        return {
            "patch": torch.from_numpy(spoil(patch, rng).transpose(2, 0, 1).copy()),
            "face": torch.tensor(float(is_face)),
            "points": torch.from_numpy(points.astype(np.float32)),
            "eyes": torch.tensor(eyes, dtype=torch.float32),
        }

    def _face(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
        if rng.random() < self.rough_share:
            tilt, scale = rng.uniform(-TILT, TILT), np.exp(np.clip(rng.normal(0, 0.18), -0.4, 0.4))
            shift = rng.uniform(-0.2, 0.2, 2)
        else:
            tilt, scale = rng.normal(0, 9), np.exp(rng.normal(0, 0.08))
            shift = np.clip(rng.normal(0, 0.05, 2), -0.2, 0.2)
        face = int(rng.integers(len(self.faces)))
        homography = _throw(tilt, scale, shift, rng) @ self._upright(face)
        patch = self._show(face, homography, rng)
        points = cv2.perspectiveTransform(self.faces.points[face][None].astype(np.float64), homography)[0]
        if rng.random() < 0.5:
            patch = patch[:, ::-1]
            points = (np.array([SIZE - 1, 0]) + points * (-1, 1))[SWAP_SIDES]
        if rng.random() < 0.1:
            patch = np.ascontiguousarray(patch)
            cover(patch, points, rng)
        fit = fit_similarity(upright_points(SIZE), points)
        eyes = np.hypot(fit[0, 0], fit[1, 0]) * np.linalg.norm(np.subtract(*upright_points(1)[:2]))
        return patch, points / SIZE, float(eyes)

    def _no_face(self, rng: np.random.Generator) -> np.ndarray:
        """A piece of a crop that no proposal should pass with: off the face, or the face itself put wrong."""
        face = int(rng.integers(len(self.faces)))
        upright = self._upright(face)
        kind = rng.random()
        tilt = rng.uniform(-180, 180) if rng.random() < 0.5 else rng.normal(0, 10)
        if kind < 0.5:  # an eye, a cheek, hair, half a face, a whole portrait, a corner of the background
            scale = np.exp(rng.uniform(np.log(0.55), np.log(6)))
            reach = max(0.42, 0.42 * scale)
            while True:
                shift = rng.uniform(-0.7 * max(1, scale), 0.7 * max(1, scale), 2)
                if np.abs(shift).max() > reach or scale > 2.0:
                    break
        elif kind < 0.56:
            scale, shift = rng.uniform(0.25, 0.48), rng.uniform(-0.25, 0.25, 2)
        elif kind < 0.88:  # upside down, which a blurred face hardly shows
            tilt, scale, shift = rng.uniform(115, 245), np.exp(rng.normal(0, 0.15)), rng.normal(0, 0.06, 2)
        else:  # the right parts in the wrong places
            tilt, scale, shift = rng.normal(0, 15), np.exp(rng.normal(0, 0.1)), rng.normal(0, 0.05, 2)
        patch = self._show(face, _throw(tilt, scale, shift, rng) @ upright, rng)
        return _shuffle(patch, rng) if kind >= 0.88 else patch

    def _upright(self, face: int) -> np.ndarray:
        """From the unit square of a stored crop to the upright patch, 3x3."""
        return _square(fit_similarity(self.faces.points[face], upright_points(SIZE)))

    def _show(self, face: int, homography: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The crop under a homography; the world beyond it is a mirror, a flat tone or another crop."""
        stored = STORED[0] if np.hypot(homography[0, 0], homography[1, 0]) > 0.7 * STORED[0] else STORED[1]
        picture = self.faces.image(face, stored)
        matrix = homography @ _to_unit(stored)
        kind = rng.random()
        if kind < 0.55:
            border = cv2.BORDER_REFLECT_101 if kind < 0.4 else cv2.BORDER_REPLICATE
            return cv2.warpPerspective(picture, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR, borderMode=border)
        colour = tuple(float(v) for v in rng.integers(0, 256, 3))
        shown = cv2.warpPerspective(picture, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR, borderValue=colour)
        if kind < 0.7:
            return shown
        other = int(rng.integers(len(self.faces)))
        throw = _throw(rng.normal(0, 20), np.exp(rng.normal(0, 0.3)), rng.uniform(-1.2, 1.2, 2), rng)
        backdrop = cv2.warpPerspective(
            self.faces.image(other, STORED[1]),
            throw @ self._upright(other) @ _to_unit(STORED[1]),
            (SIZE, SIZE),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        covered = cv2.warpPerspective(np.full((stored, stored), 255, np.uint8), matrix, (SIZE, SIZE))
        return np.where(covered[..., None] > 127, shown, backdrop)


def _to_unit(stored: int) -> np.ndarray:
    """From pixels of a stored crop to its unit square, which begins at the edge of the first pixel, 3x3."""
    return np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, stored]]) / stored


def _square(matrix: np.ndarray) -> np.ndarray:
    return np.vstack([matrix, [0, 0, 1]])


def _throw(tilt: float, scale: float, shift: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A homography of the patch: tilt in degrees and scale about its centre, shift in patch sides, and a little
    stretching, shearing and perspective."""
    angle, middle = np.deg2rad(tilt), (SIZE - 1) / 2
    stretch = np.exp(rng.normal(0, 0.04))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * scale
    turn = turn @ np.array([[stretch, rng.normal(0, 0.04)], [0, 1 / stretch]])
    result = np.eye(3)
    result[:2, :2] = turn
    result[:2, 2] = middle + shift * SIZE - turn @ (middle, middle)
    lean = np.eye(3)
    lean[2, :2] = rng.normal(0, 0.03, 2) / SIZE
    lean[2, 2] = 1 - lean[2, :2].sum() * middle
    return result @ lean


def _shuffle(patch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Swaps the quarters, or the upper and lower halves, or doubles one side: a face to no one."""
    half, result = SIZE // 2, patch.copy()
    kind = rng.integers(3)
    if kind == 0:
        tiles = [patch[y : y + half, x : x + half] for y in (0, half) for x in (0, half)]
        order = rng.permutation(4)
        while (order == np.arange(4)).sum() > 1:
            order = rng.permutation(4)
        for place, tile in enumerate(order):
            y, x = divmod(place, 2)
            result[y * half : (y + 1) * half, x * half : (x + 1) * half] = tiles[tile]
    elif kind == 1:
        result[:half], result[half:] = patch[half:], patch[:half]
    else:
        result[:, :half], result[:, half:] = patch[:, half:], patch[:, :half]
    return result


def figures(net: AlignNet, patches: Patches, count: int = 1000) -> dict[str, float]:
    """Errors on clean and severely degraded, turned validation crops; and of the first `count` patches the shares with
    and without a face to which a single look gives 0.9."""
    samples = [patches[n] for n in range(count)]
    seen = torch.stack([sample["patch"] for sample in samples])
    passed = torch.cat([net(some.float() / 255)[0] for some in seen.split(64)]).sigmoid() >= 0.9
    face = torch.stack([sample["face"] for sample in samples]) > 0
    shares = {"faces": passed[face], "no faces": passed[~face]}
    return measure_net(net, patches.faces, patches.seed) | {
        f"{name} accepted": share.float().mean().item() for name, share in shares.items()
    }


def preview(net: AlignNet, patches: Patches, count: int = 64) -> np.ndarray:
    """Patches with the points that the net sees, framed green where it says face and red where not."""
    samples = [patches[n] for n in range(count)]
    logits, points, _ = net(torch.stack([s["patch"] for s in samples]).float() / 255)
    tiles = []
    for sample, logit, five in zip(samples, logits, points, strict=True):
        tile = cv2.resize(sample["patch"].permute(1, 2, 0).numpy(), None, fx=1.5, fy=1.5)
        for x, y in (five * SIZE * 1.5).tolist():
            cv2.circle(tile, (round(x), round(y)), 2, (255, 255, 0), -1)
        frame = (0, 255, 0) if logit > 0 else (255, 0, 0)
        tiles.append(cv2.rectangle(tile, (0, 0), (tile.shape[1] - 1, tile.shape[0] - 1), frame, 3))
    return np.vstack([np.hstack(tiles[row : row + 8]) for row in range(0, count, 8)])
