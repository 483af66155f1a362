"""Trains the finder's last look: AlignNet's own architecture, taught only what that look is shown.

The first looks see any tilt, scale and place. The last one sees a patch that is upright already, so that it can be
more exact with as many weights, and what the first looks took for a face though it is none, so that it can be harder
to fool.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch

from limner.data.faces import FaceSet
from limner.data.wear import SIZE, texture
from limner.errors import LimnerError, WeightsError
from limner.evaluate.landmarks import SEVERE, error, shown
from limner.faces.align import transform, warp
from limner.faces.find import look, look_steadily, upright_frames
from limner.nets.alignnet import AlignNet
from limner.train.recipe import Preset, Recipe
from limner.train.recipes.alignnet import TRAINING, Patches, loss, preview
from limner.train.validation import Report
from limner.weights.load import load_net

FACE_SHARE = 0.8
PROPOSALS = 8
"""Frames that are thrown on a picture without a face; the one that the first looks like best becomes the sample."""
PICTURE = 192
"""Side in pixels of those pictures."""


def alignnet_fine(
    data: Path | str, preset: Preset = "mini", seed: int = 0, start: str | Path = "mini/alignnet"
) -> Recipe[AlignNet]:
    """The recipe of the last look.

    Args:
        data: folder of aligned faces with `index.csv` and `landmarks.csv`.
        preset: "mini", the embedded net.
        seed: of samples.
        start: the AlignNet of the first looks, which it begins as and must see through: a name of the catalogue, or a
            folder.

    Raises:
        LimnerError: if there is no such preset.
        WeightsError: if there is no such AlignNet.
    """
    if preset != "mini":
        raise LimnerError(f"AlignNet has one preset, 'mini', not '{preset}'.")
    torch.manual_seed(seed)
    first, net = load_net(start), load_net(start)
    if not isinstance(first, AlignNet) or not isinstance(net, AlignNet):
        raise WeightsError(f"{start} holds another net than an AlignNet: train one with `limner train alignnet`.")
    first.eval().requires_grad_(False)
    validation = UprightPatches(FaceSet.open(data, "val"), first, seed)
    return Recipe(
        name="alignnet-fine",
        model=net,
        data=UprightPatches(FaceSet.open(data, "train"), first, seed),
        loss=loss,
        training=replace(TRAINING, steps=2_500, lr=1e-3, warmup=100),
        validation=lambda net: Report(figures(net, validation), preview(net, validation)),
        seed=seed,
    )


class UprightPatches(Patches):
    """As `Patches`, as the last look is shown them: faces nearly upright, and of all else what the first looks took
    for a face, upright by the points that they saw."""

    face_share = FACE_SHARE
    rough_share = 0.0

    def __init__(self, faces: FaceSet, first: AlignNet, seed: int = 0):
        super().__init__(faces, seed)
        self.first = first

    def _no_face(self, rng: np.random.Generator) -> np.ndarray:
        while True:
            picture, truth = self._picture(rng)
            angle = rng.uniform(-np.pi, np.pi, PROPOSALS) if rng.random() < 0.3 else rng.normal(0, 0.3, PROPOSALS)
            side = PICTURE * np.exp(rng.uniform(np.log(0.2), np.log(1.1), PROPOSALS))
            centre = rng.uniform(0, PICTURE, (PROPOSALS, 2))
            turn = np.stack([np.cos(angle), np.sin(angle), -np.sin(angle), np.cos(angle)], -1).reshape(-1, 2, 2)
            turn = turn / side[:, None, None]
            frames = np.concatenate([turn, 0.5 - turn @ centre[..., None]], -1)
            scores, points = look(self.first, picture, frames)
            best = int(np.argmax(np.where(self._strange(points, truth), scores, -1)))
            frame = upright_frames(points[best : best + 1])[0]
            span = 1 / max(float(np.hypot(frame[0, 0], frame[1, 0])), 1e-6)
            if self._strange(points[best : best + 1], truth)[0] and 12 < span < 3 * PICTURE:
                return warp(picture, frame * SIZE, SIZE, SIZE)

    def _strange(self, points: np.ndarray, truth: np.ndarray | None) -> np.ndarray:
        """Which of N findings (N, 5, 2) are not the picture's own face."""
        if truth is None:
            return np.ones(len(points), bool)
        eyes = np.linalg.norm(truth[1] - truth[0])
        return np.linalg.norm(points - truth, axis=-1).mean(-1) > 1.2 * eyes

    def _picture(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray | None]:
        """A picture, and the five points of its face if it has one."""
        kind = rng.random()
        if kind < 0.2:
            return cv2.resize(texture(rng), (PICTURE, PICTURE), interpolation=cv2.INTER_LINEAR), None
        face = int(rng.integers(len(self.faces)))
        picture = self.faces.image(face, PICTURE)
        if kind < 0.55:  # the picture itself, smaller faces in some: hair, clothes, what stands behind
            truth = self.faces.landmarks(face, PICTURE).astype(np.float64)
            grow = np.exp(rng.uniform(0, np.log(2.5)))
            shift = rng.uniform(-0.5, 0.5, 2) * PICTURE * (grow - 0.4)
            matrix = np.array([[grow, 0, 0], [0, grow, 0]])
            matrix[:, 2] = PICTURE / 2 * (1 - grow) + shift
            shown = cv2.warpAffine(picture, matrix, (PICTURE, PICTURE), borderMode=cv2.BORDER_REFLECT_101)
            return shown, transform(truth, matrix)
        tile = int(PICTURE / rng.integers(3, 9))  # parts of faces in places where no face has them
        result = picture.copy()
        count = PICTURE // tile
        places = [(y * tile, x * tile) for y in range(count) for x in range(count)]
        for (y, x), (from_y, from_x) in zip(places, rng.permutation(places), strict=True):
            part = picture[from_y : from_y + tile, from_x : from_x + tile]
            result[y : y + tile, x : x + tile] = part[:, ::-1] if rng.random() < 0.5 else part
        return (cv2.GaussianBlur(result, (0, 0), rng.uniform(0.5, 3)) if rng.random() < 0.5 else result), None


def figures(net: AlignNet, patches: UprightPatches, count: int = 1500) -> dict[str, float]:
    """Errors on clean and severely degraded validation faces from the frames of the first looks, and what a single
    look of the net says to samples of `patches`."""
    found: dict[str, float] = {}
    for name, degraded in (("clean", None), ("severe", SEVERE)):
        errors = []
        for picture, truth, rough in shown(patches.faces, degraded, False, None, patches.seed):
            _, points = look(patches.first, picture, rough[None])
            _, points = look(patches.first, picture, upright_frames(points))
            errors.append(error(look_steadily(net, picture, upright_frames(points))[1][0], truth))
        found |= {f"{name} error": float(np.mean(errors)), f"{name} median": float(np.median(errors))}
    samples = [patches[n] for n in range(count)]
    seen = torch.stack([sample["patch"] for sample in samples])
    logits = torch.cat([net(some.float() / 255)[0] for some in seen.split(64)])
    face = torch.stack([sample["face"] for sample in samples]) > 0
    for threshold in (0.9, 0.98):
        passed = logits.sigmoid() >= threshold
        found[f"faces above {threshold}"] = passed[face].float().mean().item()
        found[f"others above {threshold}"] = passed[~face].float().mean().item()
    return found
