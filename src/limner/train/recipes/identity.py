"""Trains the recogniser with ArcFace's additive angular margin (Deng et al. 2019), every person a class.

Almost everyone in the data has a single photograph, so what varies between two photographs of a person must come from
augmentation: pose and expression from small warps, light, camera, background, cover, and the degradations that a
restorer's net meets. Two such views of a person stand in each batch, of two photographs where there are two. At the end
the vectors are whitened (`whiten.py`).
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from limner.data.faces import FaceSet
from limner.degrade.degrade import PRESETS, Degradation, apply
from limner.evaluate.identity import Photographs, verify
from limner.nets.identity import IdentityNet
from limner.train.recipe import Batch, Preset, Recipe, Training
from limner.train.recipes.whiten import whitened
from limner.train.validation import Report

SIZE = 128
STORED = 160
VALIDATION_SHARE = 0.25

MINI = {
    "sample_size": 84,
    "layers": (2, 2),
    "widths": (96, 192),
    "stem_width": 64,
    "patch_size": 3,
    "embedding": 256,
    "region": (28 / 128, 22 / 128, 84 / 128),  # brow to chin: who is no one's hair, collar or wall
    "contrast": 10,
    "head": "depthwise",
}

TRAINING = {
    "mini": Training(
        steps=1_800,
        batch=32,
        lr=2e-3,
        final_lr=1e-5,
        warmup=100,
        weight_decay=0.05,
        clip=5.0,
        precision="bf16",
        export="fp16",
    )
}
# ArcFace's 32,000 steps of 512 views, but AdamW and a cosine, as every recipe here, in place of SGD.
TRAINING["paper"] = replace(TRAINING["mini"], steps=32_000, batch=256, lr=5e-4, warmup=2_000)


def identity(data: Path | str, preset: Preset = "mini", seed: int = 0) -> Recipe[Classifier]:
    """The recipe of the recogniser of identity losses and measurements.

    Args:
        data: folder of aligned faces with `index.csv` and `landmarks.csv`.
        preset: "mini", the embedded net; "paper", ArcFace's IR-ResNet50 with margin 0.5 and scale 64, not whitened.
        seed: of samples and initial weights.

    Raises:
        LimnerError: the data lacks its tables.
    """
    torch.manual_seed(seed)
    faces = FaceSet.open(data, "train")
    watched = validation_people(faces)
    views = Views(faces, watched, seed)
    photographs = cache(lambda: Photographs.of(faces, people=watched))

    def validate(net: Classifier) -> Report:
        figures = {
            f"{row.degraded or 'clean'} {name}": getattr(row, name)
            for row in verify(net.finished(), photographs())
            for name in ("auc", "accuracy", "rank1")
        }
        return Report(figures, views.sheet())

    mini = preset == "mini"
    net = IdentityNet(**MINI) if mini else IdentityNet()
    return Recipe(
        name="identity",
        model=Classifier(net, len(views.classes), lambda: views.clean() if mini else None),
        data=views,
        loss=Loss(margin=0.2, scale=16.0, pairs=1.0) if mini else Loss(margin=0.5, scale=64.0),
        training=TRAINING[preset],
        validation=validate,
        seed=seed,
    )


def validation_people(faces: FaceSet) -> list[str]:
    """Who of those with two photographs is validated on and hence no class: all whose photographs are of different
    days, and of the many whom one studio took twice in a row a quarter, chosen by their names."""
    count: dict[str, int] = {}
    for person in faces.people:
        count[person] = count.get(person, 0) + 1
    return [person for person, photographs in count.items() if photographs > 1 and _watched(person)]


def _watched(person: str) -> bool:
    share = int.from_bytes(hashlib.sha256(f"identity/{person}".encode()).digest()[:8]) / 2**64
    return not person.startswith("london:") or share < VALIDATION_SHARE


class Classifier(ModelMixin):
    """The recogniser with a direction for every class. Only the recogniser is worth saving.

    Args:
        net: the recogniser.
        classes: how many.
        faces: gives the faces (N, 3, H, W) that the recogniser is whitened with before it is saved; or None.
    """

    def __init__(self, net: IdentityNet, classes: int, faces: Callable[[], Tensor | None] = lambda: None):
        super().__init__()
        self.net = net
        self.faces = faces
        self.directions = nn.Parameter(0.01 * torch.randn(classes, net.config["embedding"]))

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Crops (B, 3, H, W) in [0, 1] to their vectors (B, D) and the cosines (B, classes) with each class."""
        vectors = self.net(crops)
        with torch.autocast(vectors.device.type, enabled=False):  # half precision is too coarse for small angles
            return vectors, vectors @ F.normalize(self.directions, dim=1).T

    # the many options of ModelMixin.save_pretrained are passed on as they are
    def save_pretrained(self, save_directory: str, **options: Any) -> None:  # type: ignore[override]
        """Saves the recogniser alone, in its present precision."""
        finished = self.finished()
        nn.Module.to(finished, self.net.dtype)
        finished.save_pretrained(save_directory, **options)

    def finished(self) -> IdentityNet:
        """The recogniser as it ships, a float32 copy on the CPU."""
        net = copy.deepcopy(self.net).float().cpu().eval()
        faces = self.faces()
        return net if faces is None else whitened(net, faces)


@dataclass(frozen=True)
class Loss:
    """ArcFace's cross-entropy, to which the angle of a view to its own class counts as `margin` (radians) wider than
    it is; and `pairs` times the cross-entropy of finding a view's twin in the batch (Chen et al. 2020, NT-Xent),
    which teaches from the first step on, when the directions of the classes still mean nothing."""

    margin: float
    scale: float
    pairs: float = 0.0
    temperature: float = 0.1

    def __call__(self, model: Classifier, batch: Batch, generator: torch.Generator) -> Tensor:
        views = batch["views"].flatten(0, 1).float() / 255
        person = batch["person"].repeat_interleave(2)
        vectors, cosine = model(views.contiguous(memory_format=torch.channels_last))
        loss = F.cross_entropy(self.scale * with_margin(cosine, person, self.margin), person)
        if self.pairs:
            itself = torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
            with torch.autocast(vectors.device.type, enabled=False):
                alike = (vectors @ vectors.T).masked_fill(itself, -torch.inf) / self.temperature
            loss = loss + self.pairs * F.cross_entropy(alike, torch.arange(len(vectors), device=vectors.device) ^ 1)
        return loss


def with_margin(cosine: Tensor, person: Tensor, margin: float) -> Tensor:
    """Cosines (B, classes) with that of each row's own class replaced by cos(angle + margin)."""
    own = cosine.gather(1, person[:, None]).clamp(-1 + 1e-6, 1 - 1e-6)
    angle = own.acos() + margin
    # Past a half turn the cosine would rise again: from there on it falls in a straight line.
    widened = torch.where(angle < torch.pi, angle.cos(), -1 - (angle - torch.pi))
    return cosine.scatter(1, person[:, None], widened)


@dataclass
class Views:
    """The stream of training samples: {"views": (2, 3, S, S) uint8, "person": its class}; sample n is fixed by
    (seed, n), and every person comes once an epoch.

    Args:
        faces: the training split.
        without: people who are left out.
        seed: of order and augmentation.
    """

    faces: FaceSet
    without: Sequence[str] = ()
    seed: int = 0

    @cached_property
    def classes(self) -> list[list[int]]:
        """The photographs of every person."""
        places: dict[str, list[int]] = {}
        for index, person in enumerate(self.faces.people):
            if person not in self.without:
                places.setdefault(person, []).append(index)
        return list(places.values())

    def __getitem__(self, n: int) -> Batch:
        epoch, place = divmod(n, len(self.classes))
        order = np.random.default_rng((self.seed, 0, epoch)).permutation(len(self.classes))
        person = int(order[place])
        rng = np.random.default_rng((self.seed, 1, n))
        views = [self.view(index, rng) for index in self._two(person, rng)]
        return {"views": torch.from_numpy(np.stack(views).transpose(0, 3, 1, 2).copy()), "person": torch.tensor(person)}

    def clean(self) -> Tensor:
        """All photographs as they are, (N, 3, S, S) uint8."""
        pictures = [self.faces.image(index, SIZE) for photographs in self.classes for index in photographs]
        return torch.from_numpy(np.stack(pictures).transpose(0, 3, 1, 2).copy())

    def _two(self, person: int, rng: np.random.Generator) -> list[int]:
        photographs = self.classes[person]
        if len(photographs) == 1:
            return photographs * 2
        return [photographs[k] for k in rng.choice(len(photographs), 2, replace=False)]

    def view(self, index: int, rng: np.random.Generator) -> np.ndarray:
        """A variation of a photograph, (S, S, 3) uint8: another pose, light, background, camera and wear."""
        image, points = warp(self.faces.image(index, STORED), self.faces.points[index], rng)
        if rng.random() < 0.5:
            image, points = np.ascontiguousarray(image[:, ::-1]), points * (-1, 1) + (SIZE - 1, 0)
        if rng.random() < 0.5:
            backdrop = self.faces.image(int(rng.integers(len(self.faces))), SIZE) if rng.random() < 0.4 else None
            image = before(image, points, backdrop, rng)
        image = light(image, rng)
        if rng.random() < 0.15:
            cover(image, rng)
        image = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
        kind = rng.random()
        if kind < 0.45:
            image = apply(image, wear("ffhq-ref-severe" if kind < 0.15 else "ffhq-ref-moderate", rng))
        return image

    def sheet(self, people: int = 12) -> np.ndarray:
        """Views of the first people, (H, W, 3) uint8: what the net was shown."""
        samples = [self[n]["views"].permute(0, 2, 3, 1).numpy() for n in range(people)]
        return np.hstack([np.vstack(list(views)) for views in samples])


def warp(picture: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Another pose and expression: a small similarity, perspective and smooth distortion.

    Args:
        picture: (H, H, 3) uint8.
        points: (5, 2) in its sides.

    Returns:
        (S, S, 3) uint8, and about where the points went, in its pixels.
    """
    angle, scale = np.deg2rad(rng.normal(0, 4)), np.exp(rng.normal(0, 0.05))
    stretch = np.exp(rng.normal(0, 0.03))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * scale
    turn = turn @ np.array([[stretch, rng.normal(0, 0.02)], [0, 1 / stretch]])
    x, y = np.meshgrid(np.linspace(-0.5, 0.5, SIZE, dtype=np.float32), np.linspace(-0.5, 0.5, SIZE, dtype=np.float32))
    cells = int(rng.integers(4, 8))
    bend = rng.normal(0, rng.uniform(0, 0.02), (cells, cells, 2)).astype(np.float32)
    bend = cv2.resize(bend, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    lean = rng.normal(0, 0.04, 2).astype(np.float32)
    depth = 1 + lean[0] * x + lean[1] * y
    shift = rng.normal(0, 0.015, 2)
    u = (turn[0, 0] * x + turn[0, 1] * y) / depth + bend[..., 0] + shift[0]
    v = (turn[1, 0] * x + turn[1, 1] * y) / depth + bend[..., 1] + shift[1]
    side = len(picture)
    warped = cv2.remap(
        picture,
        ((u + 0.5) * (side - 1)).astype(np.float32),
        ((v + 0.5) * (side - 1)).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    went = np.linalg.solve(turn, (points - 0.5 - shift).T).T + 0.5
    return warped, went * (SIZE - 1)


def before(image: np.ndarray, points: np.ndarray, backdrop: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
    """The face before another background, a picture or a made-up one: no one is known by a wall or a collar."""
    eyes, mouth = points[:2].mean(0), points[3:].mean(0)
    reach = float(np.linalg.norm(mouth - eyes))
    centre = eyes * 0.55 + mouth * 0.45
    grow = rng.uniform(0.9, 1.15)
    mask = np.zeros((SIZE, SIZE), np.float32)
    axes = (int(reach * 1.02 * grow), int(reach * 1.38 * grow))
    cv2.ellipse(mask, (int(centre[0]), int(centre[1])), axes, 0, 0, 360, 1.0, -1)
    mask = cv2.blur(mask, (7, 7))[..., None]
    if backdrop is None:
        cells = int(rng.integers(1, 6))
        backdrop = cv2.resize(rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8), (SIZE, SIZE))
    return (image * mask + backdrop * (1 - mask)).astype(np.uint8)


def light(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Other light and another camera: uint8 to float32, about [0, 1]."""
    shown = image.astype(np.float32) / 255
    if rng.random() < 0.25:
        shown = cv2.cvtColor(cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    if rng.random() < 0.8:
        shown *= np.exp(rng.normal(0, 0.1, 3)).astype(np.float32)
        shown = np.clip(shown, 0, 1) ** np.float32(np.exp(rng.normal(0, 0.2)))
        shown = (shown - 0.5) * np.float32(rng.uniform(0.6, 1.3)) + np.float32(0.5 + rng.normal(0, 0.08))
    if rng.random() < 0.4:  # light from one side
        angle, strength = rng.uniform(0, 2 * np.pi), min(abs(rng.normal(0, 0.4)), 1.2)
        axis = np.linspace(-0.5, 0.5, SIZE, dtype=np.float32)
        slope = np.cos(angle) * axis[None, :] + np.sin(angle) * axis[:, None]
        shown = shown * (1 + strength * slope[..., None]).astype(np.float32)
    return shown


def cover(image: np.ndarray, rng: np.random.Generator) -> None:
    """Something held before the face, in place."""
    width, height = (int(v) for v in rng.integers(12, 44, 2))
    x, y = (int(v) for v in rng.integers(0, SIZE - 12, 2))
    image[y : y + height, x : x + width] = rng.uniform(0, 1, 3).astype(np.float32)


def wear(preset: str, rng: np.random.Generator) -> Degradation:
    """A roll of `degrade.draw` as it looks at the size of a view: what the preset does at more pixels than a view
    has isn't seen there, but for the noise, of which averaging leaves less."""
    ranges = PRESETS[preset]
    sigma = rng.uniform(*ranges.sigma, 2)
    across, rotation = (sigma[0], 0.0) if rng.random() < 0.5 else (sigma[1], rng.uniform(-np.pi, np.pi))
    factor = rng.uniform(*ranges.downsample)
    coarsest = max(factor, 512 / SIZE)
    side = int(512 / coarsest)
    noise = rng.standard_normal((side, side, 3), dtype=np.float32)
    strength = rng.uniform(*ranges.noise) * factor / coarsest
    return Degradation(sigma[0], across, rotation, coarsest, noise, strength, int(rng.uniform(*ranges.jpeg)))
