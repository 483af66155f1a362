"""Trains the net that proposes faces, on composed scenes (`limner.data.scenes`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from limner.data.faces import MESH_POINTS, FaceSet
from limner.data.nofaces import FOLDER, photographs_of_nobody
from limner.data.scenes import Scene, Scenes
from limner.errors import LimnerError
from limner.faces.align import fit_similarity, transform
from limner.faces.proposals import seen_by
from limner.nets.alignnet import upright_points
from limner.nets.proposals import STRIDE, ProposalNet, centres
from limner.train.recipe import Batch, MiniTraining, Preset, Recipe
from limner.train.starting import begin
from limner.train.validation import Report, on_the_processor

SIDE = 192
"""Of the scenes in pixels."""
WANTED = 9.0, 44.0
"""Sides of the boxes, in pixels, of the faces that the net shall find in a picture; of larger and smaller ones it may
say what it likes. Copies of a photograph that are each half as large show every face at such a side, most of them
twice."""
SEEN = 0.55
"""Share of a face that must be visible; of less than `HIDDEN` nothing is left of it."""
HIDDEN = 0.12

TRAINING = MiniTraining(
    steps=6_000,
    batch=16,
    lr=2.5e-3,
    final_lr=1e-5,
    warmup=200,
    betas=(0.9, 0.99),
    weight_decay=1e-3,
)


def proposals(data: Path, preset: Preset = "mini", seed: int = 0, start: str | Path | None = None) -> Recipe:
    """The recipe of the finder's first net.

    Args:
        data: folder of aligned faces with `index.csv` and `landmarks_mediapipe.csv`; a folder `nofaces` beside it is
            used where there is one.
        preset: "mini", the embedded net.
        seed: of scenes and initial weights.
        start: a net to go on from, a name of the catalogue or a folder; None begins anew.

    Raises:
        LimnerError: there is no such preset, or the data lacks its tables.
    """
    if preset != "mini":
        raise LimnerError(f"The net of proposals has one preset, 'mini', not '{preset}'.")
    torch.manual_seed(seed)
    beside = Path(data).parent / FOLDER
    others = photographs_of_nobody(beside, measured=False) if beside.is_dir() else []
    validation = Scenes(FaceSet.open(data, "val", points=MESH_POINTS), others, SIDE, seed + 1)
    return Recipe(
        name="proposals",
        model=begin(ProposalNet, start, ProposalNet),
        data=Targets(Scenes(FaceSet.open(data, "train", points=MESH_POINTS), others, SIDE, seed)),
        loss=loss,
        training=TRAINING,
        validation=on_the_processor(lambda net: measured(net, validation)),
        seed=seed,
    )


@dataclass
class Targets:
    """Scenes with the maps that the net shall give; with h = w = S / 8 cells:

    `picture` (3, S, S) uint8; `heat` (h, w), 1 where a face's centre is and less around it; `care` (h, w), 0 where the
    heat doesn't matter; `share` (h, w), how much size and points of a cell matter; `size` (h, w) and `points`
    (5, 2, h, w) in pixels.
    """

    scenes: Scenes

    def __getitem__(self, n: int) -> Batch:
        scene = self.scenes[n]
        return {"picture": torch.from_numpy(scene.picture.transpose(2, 0, 1).copy()), **targets(scene)}


def targets(scene: Scene) -> Batch:
    """The maps of a scene, see `Targets`."""
    cells = scene.picture.shape[0] // STRIDE
    grid = centres(cells, cells).numpy()
    heat, care = np.zeros((cells, cells), np.float32), np.ones((cells, cells), np.float32)
    share, size = np.zeros_like(heat), np.ones_like(heat)
    points = np.zeros((5, 2, cells, cells), np.float32)
    middles = transform(np.array([[0.5, 0.5]]), fit_similarity(upright_points(1), scene.points))[:, 0]
    wanted = (scene.visible >= SEEN) & (scene.sides >= WANTED[0]) & (scene.sides <= WANTED[1])
    for face in np.argsort(-scene.sides):
        side, middle = scene.sides[face], middles[face]
        x, y = np.floor((middle + 0.5) / STRIDE).astype(int)
        away = np.hypot(*(grid - middle[:, None, None]))
        if not wanted[face] or not (0 <= x < cells and 0 <= y < cells):
            if scene.visible[face] > HIDDEN:
                care[away < max(0.5 * side, STRIDE)] = 0
            continue
        near = np.exp(-0.5 * (away / max(4.0, 0.18 * side)) ** 2).astype(np.float32)
        near[y, x] = 1
        own = (near > 0.3) & (near > share)
        share[own], size[own] = near[own], side
        points[..., own] = scene.points[face][..., None]
        heat = np.maximum(heat, near)
    care[heat == 1] = 1
    maps = {"heat": heat, "care": care, "share": share, "size": size, "points": points}
    return {name: torch.from_numpy(value) for name, value in maps.items()}


def loss(net: ProposalNet, batch: Batch, generator: torch.Generator) -> Tensor:
    """The heat's focal loss (Objects as Points, eq. 1: alpha 2, beta 4), and the distances of the logarithmic sizes
    and, in sides of the box, of the points."""
    pictures = (batch["picture"].float() / 255).contiguous(memory_format=torch.channels_last)
    heat, sizes, offsets = net(pictures)
    chance, truth = heat.sigmoid(), batch["heat"]
    at_centre = (truth == 1).float()
    hit = at_centre * (1 - chance) ** 2 * F.logsigmoid(heat)
    missed = (1 - at_centre) * (1 - truth) ** 4 * chance**2 * F.logsigmoid(-heat) * batch["care"]
    focal = -(hit + missed).sum() / at_centre.sum().clamp(min=1)
    share, side = batch["share"], batch["size"]
    of_size = (sizes - (side / 16).log()).abs()
    place = (batch["points"] - centres(*side.shape[1:]).to(side)) / side[:, None, None]
    of_points = (offsets - place).abs().mean((1, 2))
    return focal + (share * (of_size + 10 * of_points)).sum() / share.sum().clamp(min=1)


def found_and_false(net: ProposalNet, scene: Scene, least: float) -> tuple[list[float], int, int]:
    """What the net finds in a scene at a score: the mean distance of the points of each found face, in sides of its
    box; how many it should have found; and peaks on no face at all."""
    seen = seen_by(net, scene.picture, least)
    if not len(scene.points):
        return [], 0, len(seen.points)
    away = np.linalg.norm(seen.points[:, None] - scene.points[None], axis=-1).mean(-1) / scene.sides
    wanted = (scene.visible >= SEEN) & (scene.sides >= WANTED[0]) & (scene.sides <= WANTED[1])
    errors = [] if not len(seen.points) else [float(best) for best in away.min(0)[wanted] if best < 0.35]
    between = np.linalg.norm(seen.points.mean(1)[:, None] - scene.points.mean(1)[None], axis=-1)
    false = int((between > 0.6 * scene.sides).all(1).sum())
    return errors, int(wanted.sum()), false


def measured(net: ProposalNet, scenes: Scenes, count: int = 150) -> Report:
    """Of the first `count` scenes: shares of faces found and false peaks a scene at two scores, how exact the points
    are, and a sheet of scenes with what is found."""
    figures: dict[str, float] = {}
    for least in (0.1, 0.3):
        outcomes = [found_and_false(net, scenes[n], least) for n in range(count)]
        errors = [error for some, _, _ in outcomes for error in some]
        wanted, false = sum(count for _, count, _ in outcomes), sum(count for _, _, count in outcomes)
        figures[f"found at {least}"] = len(errors) / max(wanted, 1)
        figures[f"false at {least}"] = false / count
    figures["points"] = float(np.mean(errors)) if errors else float("nan")
    return Report(figures, np.vstack([np.hstack([drawn(net, scenes[8 * y + x]) for x in range(8)]) for y in range(5)]))


def drawn(net: ProposalNet, scene: Scene) -> np.ndarray:
    """A scene, enlarged, with the points that the net sees: green where it is sure, yellow where it is not; the eyes
    are blue."""
    shown = cv2.resize(scene.picture, None, fx=1.5, fy=1.5)
    seen = seen_by(net, scene.picture, 0.1)
    for score, five in zip(seen.scores, seen.points, strict=True):
        for place, (x, y) in enumerate(np.rint(1.5 * five).astype(int).tolist()):
            colour = (0, 120, 255) if place < 2 else ((0, 255, 0) if score >= 0.3 else (255, 255, 0))
            cv2.circle(shown, (x, y), 1, colour, -1)
    return shown
