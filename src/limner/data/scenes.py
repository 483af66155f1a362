"""Scenes composed of faces: several a scene, of all sizes and turns, before photographs and textures, overlapping, cut
by the edge, half hidden; whatever a finder of small faces should tell from the rest.

The truth costs nothing: the five points of a crop are known, so they are known wherever it is pasted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from limner.data.faces import FaceSet, read_picture
from limner.data.occluders import cover, dial, relief, scrambled
from limner.data.wear import spoil, texture
from limner.degrade.print_wear import apply_wear, draw_wear
from limner.degrade.scan_wear import apply_scan, draw_scan
from limner.faces.align import fit_similarity, transform
from limner.nets.alignnet import upright_points
from limner.template import FFHQ_512

STORED = 96
"""Side in pixels of the crops that are pasted."""
BOX_PER_CROP = 0.59
"""Side of a face's box, brow to chin, over that of its aligned crop."""
SIZES = 7.0, 48.0
"""Sides of the boxes of most faces, in pixels."""
LARGEST = 150.0
"""Side of the box of the largest faces that now and then fill a scene."""
MASKS = 200
"""How many ways there are to cut a face out."""
SWAPPED = [1, 0, 2, 4, 3]
"""The five points in a mirror."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture and the faces in it.

    Attributes:
        picture: (S, S, 3) uint8.
        points: (N, 5, 2) float32, in pixels of the picture.
        sides: (N,) of the faces' boxes in pixels.
        visible: (N,) shares of the faces that neither the edge nor anything before them hides, 0 to 1.
    """

    picture: np.ndarray
    points: np.ndarray
    sides: np.ndarray
    visible: np.ndarray


@dataclass
class Scenes:
    """The stream of scenes; scene `n` is fixed by (seed, n).

    Attributes:
        faces: what is pasted.
        others: files of photographs without a face, which stand behind.
        side: S, of the scenes, in pixels.
        seed: of all choices.
    """

    faces: FaceSet
    others: list[Path]
    side: int
    seed: int
    decoded: dict[Path, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        self.masks = [_mask(rng) for _ in range(MASKS)]

    def __getitem__(self, n: int) -> Scene:
        rng = np.random.default_rng((self.seed, n))
        composer = _Composer(self, rng)
        lie = rng.normal(0, 12) if rng.random() < 0.4 else rng.uniform(-180, 180)  # photographs lie as a whole
        for _ in range(int(rng.choice([0, 0, 1, 2]))):
            composer.paste_decoy()
        crowd = rng.random() < 0.12
        count = int(rng.integers(8, 20)) if crowd else int(rng.choice([0, 1, 1, 2, 3, 4, 5, 6]))
        typical = float(np.exp(rng.uniform(*np.log(SIZES))))
        for _ in range(count):
            side = typical * np.exp(rng.normal(0, 0.15)) if crowd else np.exp(rng.uniform(*np.log(SIZES)))
            if not crowd and rng.random() < 0.03:
                side = np.exp(rng.uniform(np.log(SIZES[1]), np.log(LARGEST)))
            tilt = rng.uniform(-180, 180) if rng.random() < 0.12 else lie + rng.normal(0, 12)
            composer.paste_face(float(side), float(tilt))
        return composer.finished()

    def backdrop(self, rng: np.random.Generator) -> np.ndarray:
        """What stands behind all, (S, S, 3) uint8."""
        kind, side = rng.random(), self.side
        if kind < 0.55 and self.others:
            path = self.others[int(rng.integers(len(self.others)))]
            if path not in self.decoded:
                self.decoded[path] = read_picture(path)
            photo = self.decoded[path]
            part = int(np.exp(rng.uniform(np.log(64), np.log(min(photo.shape[:2]) + 1))))
            y, x = (int(rng.integers(0, length - part + 1)) for length in photo.shape[:2])
            cut = photo[y : y + part, x : x + part][:, :: 1 if rng.random() < 0.5 else -1]
            way = cv2.INTER_AREA if part > side else cv2.INTER_LINEAR
            return np.rot90(cv2.resize(cut, (side, side), interpolation=way), int(rng.integers(4))).copy()
        if kind < 0.7:
            return cv2.resize(texture(rng), (side, side), interpolation=cv2.INTER_LINEAR)
        corners = rng.integers(0, 256, (2, 2, 3)).astype(np.float32)  # a wall, a gradient of light on it
        corners = corners.mean((0, 1)) + (corners - corners.mean((0, 1))) * rng.uniform(0, 1)
        wall = cv2.resize(corners, (side, side), interpolation=cv2.INTER_LINEAR)
        wall += rng.standard_normal((side, side, 1), np.float32) * np.float32(rng.uniform(0, 12))
        return np.clip(wall, 0, 255).astype(np.uint8)


class _Composer:
    """One scene while it is made. `owner` says for each pixel which face it belongs to, -1 for none."""

    def __init__(self, scenes: Scenes, rng: np.random.Generator):
        self.scenes, self.rng = scenes, rng
        self.picture = scenes.backdrop(rng)
        self.owner = np.full(self.picture.shape[:2], -1, np.int16)
        self.points: list[np.ndarray] = []
        self.sides: list[float] = []
        self.areas: list[float] = []

    def paste_decoy(self) -> None:
        """Pastes something that is no face."""
        rng = self.rng
        side, kind = float(np.exp(rng.uniform(np.log(12), np.log(90)))), rng.random()
        crop = self.scenes.faces.image(int(rng.integers(len(self.scenes.faces))), STORED)
        crop = scrambled(crop, rng) if kind < 0.6 else relief(crop, rng) if kind < 0.75 else dial(STORED, rng)
        self._lay(crop, self._matrix(side, rng.uniform(-180, 180), 1.0), np.full((STORED, STORED), 255, np.uint8))

    def paste_face(self, side: float, tilt: float) -> None:
        """Pastes a face whose box has this side, turned clockwise by `tilt` degrees; something may stand before it."""
        rng = self.rng
        face = int(rng.integers(len(self.scenes.faces)))
        crop, known = self.scenes.faces.image(face, STORED), self.scenes.faces.landmarks(face, STORED)
        if rng.random() < 0.5:
            crop, known = crop[:, ::-1], (np.array([STORED - 1, 0]) + known * (-1, 1))[SWAPPED]
        narrow = rng.uniform(0.72, 1) if rng.random() < 0.25 else 1.0  # as turned heads are
        matrix = self._matrix(side, tilt, narrow)
        points = transform(known.astype(np.float64), matrix)
        light = (np.exp(rng.normal(0, 0.25)), rng.normal(0, 18)) if rng.random() < 0.6 else (1.0, 0.0)
        lit = np.clip(crop * np.float32(light[0]) + np.float32(light[1]), 0, 255).astype(np.uint8)
        masks = self.scenes.masks
        self._lay(lit, matrix, masks[int(rng.integers(len(masks)))])
        fit = fit_similarity(upright_points(1), points)
        box = BOX_PER_CROP * 512 / 403 * float(np.hypot(fit[0, 0], fit[1, 0]))
        middle, across = transform(np.array([[0.5, 0.5]]), fit)[0], 0.5 * box
        centre, axes = np.rint(middle * 16).astype(int).tolist(), (int(14 * across), int(17 * across))
        cv2.ellipse(self.owner, centre, axes, tilt, 0, 360, len(self.points), -1, cv2.LINE_8, 4)
        self.points.append(points)
        self.sides.append(box)
        self.areas.append(np.pi * axes[0] * axes[1] / 256)
        if rng.random() < 0.22:
            self._cover(points, box)

    def _cover(self, points: np.ndarray, side: float) -> None:
        """Draws something before the face with these points and this side."""
        x0, y0 = np.maximum(points.mean(0) - 2 * side, 0).astype(int).tolist()
        x1, y1 = np.maximum(points.mean(0) + 2 * side, 0).astype(int).tolist()
        if self.picture[y0:y1, x0:x1].size:
            part = np.ascontiguousarray(self.picture[y0:y1, x0:x1])
            cover(part, points - (x0, y0), self.rng)
            self.owner[y0:y1, x0:x1][(part != self.picture[y0:y1, x0:x1]).any(-1)] = -1
            self.picture[y0:y1, x0:x1] = part

    def finished(self) -> Scene:
        """The scene, worn as photographs are."""
        rng, sides, count = self.rng, np.array(self.sides), len(self.sides)
        owned = np.bincount(self.owner[self.owner >= 0].ravel(), minlength=count)[:count]
        visible = np.minimum(owned / np.array(self.areas), 1) if count else np.empty(0)
        picture, upright = self.picture, float(np.clip(np.median(sides), 10, 60)) / 0.75 if count else 30.0
        kind = rng.random()
        if kind < 0.03:
            height, width = picture.shape[:2]
            picture = apply_wear(picture, draw_wear(rng, width, height), max(upright / 403, 0.12))
        elif kind < 0.09:
            picture = apply_scan(picture, draw_scan(rng))
        if kind < 0.93:
            picture = spoil(picture, rng, upright)
        points = np.array(self.points, np.float32).reshape(-1, 5, 2)
        return Scene(picture, points, sides.astype(np.float32), visible.astype(np.float32))

    def _matrix(self, side: float, tilt: float, narrow: float) -> np.ndarray:
        """From a stored crop to a place in the scene."""
        rng, extent = self.rng, self.scenes.side
        scale, angle = side / BOX_PER_CROP / STORED, np.deg2rad(tilt)
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        stretch = np.exp(rng.normal(0, 0.05))
        turn = turn @ np.array([[narrow * stretch, rng.normal(0, 0.04)], [0, 1 / stretch]])
        reach = 0.3 * side if rng.random() < 0.2 else -min(0.6 * side, 0.4 * extent)  # some are cut by the edge
        middle = rng.uniform(-reach, extent + reach, 2)
        face = np.array([0.5, CENTRE_DOWN]) * STORED
        return np.concatenate([turn, (middle - turn @ face)[:, None]], 1)

    def _lay(self, crop: np.ndarray, matrix: np.ndarray, mask: np.ndarray) -> None:
        """Lays a crop into the scene through a mask, both STORED px wide."""
        extent = self.scenes.side
        corners = transform(np.array([(0, 0), (STORED, 0), (0, STORED), (STORED, STORED)], float), matrix)
        x0, y0 = np.maximum(np.floor(corners.min(0)), 0).astype(int).tolist()
        x1, y1 = np.minimum(np.ceil(corners.max(0)) + 1, extent).astype(int).tolist()
        if x0 >= x1 or y0 >= y1:
            return
        shrunk = 2 ** max(0, int(np.log2(1 / np.sqrt(abs(np.linalg.det(matrix[:, :2]))))))
        small, half = STORED // shrunk, (shrunk - 1) / 2
        local = np.concatenate([matrix[:, :2] * shrunk, matrix[:, 2:] + matrix[:, :2] @ [[half], [half]]], 1)
        local[:, 2] -= x0, y0
        layers = [np.ascontiguousarray(crop), mask]
        if shrunk > 1:
            layers = [cv2.resize(layer, (small, small), interpolation=cv2.INTER_AREA) for layer in layers]
        shown = cv2.warpAffine(layers[0], local, (x1 - x0, y1 - y0), borderMode=cv2.BORDER_REPLICATE)
        share = cv2.warpAffine(layers[1], local, (x1 - x0, y1 - y0))[..., None].astype(np.float32) / 255
        under = self.picture[y0:y1, x0:x1]
        under[:] = np.rint(under + share * (shown.astype(np.float32) - under)).astype(np.uint8)
        self.owner[y0:y1, x0:x1][share[..., 0] > 0.5] = -1


CENTRE_DOWN = float(FFHQ_512[:, 1].mean() / 512) - 0.02


def _mask(rng: np.random.Generator) -> np.ndarray:
    """Through what a crop is pasted: a head's ellipse, the whole square, hard or with soft edges, or a ragged part."""
    kind = rng.random()
    mask = np.zeros((STORED, STORED), np.uint8)
    middle = STORED // 2
    if kind < 0.45:
        axes = int(STORED * rng.uniform(0.33, 0.46)), int(STORED * rng.uniform(0.42, 0.52))
        cv2.ellipse(mask, (middle, int(STORED * rng.uniform(0.46, 0.54))), axes, 0, 0, 360, 255, -1)
    elif kind < 0.85:
        rim = int(STORED * rng.uniform(0, 0.12))
        mask[rim : STORED - rim, rim : STORED - rim] = 255
    elif kind < 0.94:  # head and shoulders
        cv2.ellipse(mask, (middle, middle), (int(0.36 * STORED), int(0.45 * STORED)), 0, 0, 360, 255, -1)
        cv2.ellipse(mask, (middle, STORED), (int(0.5 * STORED), int(0.25 * STORED)), 0, 0, 360, 255, -1)
    else:  # a part of a face, which is none if it is small
        cut = int(STORED * rng.uniform(0.35, 0.65))
        mask[:] = 255
        half = mask if rng.random() < 0.5 else mask.T
        half[:cut] = 0
        if rng.random() < 0.5:
            mask = np.ascontiguousarray(mask[::-1, ::-1])
    soft = rng.uniform(0, 6)
    return cv2.GaussianBlur(mask, (0, 0), soft, borderType=cv2.BORDER_CONSTANT) if soft > 0.4 else mask
