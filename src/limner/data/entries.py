"""A stream of faces beside what the embedded methods made of them before any finish: where the late steps of DifFace's
prior are entered.

A pool of restorations is made once, one when it is first asked for, and shown again and again in other windows.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import numpy as np
import torch

from limner.data.faces import FaceSet
from limner.degrade.degrade import apply, draw, truth
from limner.degrade.scan_wear import apply_scan, draw_scan
from limner.device import frozen_pass
from limner.methods import load
from limner.methods.loaded import LoadedMethod
from limner.pixels import to_picture, to_tensor, without_colour

DAMAGE = {"ffhq-ref-severe": 0.34, "ffhq-ref-moderate": 0.3, "old-print": 0.14, "difface": 0.1, "scan": 0.12}
"""What happened to the faces: a preset, or scans and cameras (`scan_wear.py`, to one in twelve nothing)."""
WAYS = {"difface": 0.58, "ldbfr": 0.14, "clrface": 0.14, "refldm": 0.14}
"""Whose restorations, and how often; of DifFace the estimate."""
FEATURES = {"eyes": (48, 112), "mouth": (48, 80)}
"""What of a face is looked at most: height and width of the boxes around both eyes and the mouth, in pixels of a face
of 256."""
LOOKED_AT = 0.6
"""Share of windows that are laid so that they hold one of the boxes."""


def box_sides(name: str, size: int) -> tuple[int, int]:
    """Height and width in pixels of the box of one of the `FEATURES` in faces of `size` px."""
    height, width = FEATURES[name]
    return height * size // 256, width * size // 256


@dataclass(frozen=True, eq=False)
class Entry:
    """One of the pool.

    Attributes:
        image, restored: (S, S, 3) uint8, the face as it should be and as a method restored it.
        boxes: top and left of each of `FEATURES`.
    """

    image: np.ndarray
    restored: np.ndarray
    boxes: dict[str, tuple[int, int]]


@dataclass
class Entries:
    """Sample n is {"image", "entry": (3, W, W) in [0, 1], "restored": 1 or 0, "eyes", "mouth": (2,)}: a window of a
    face, and of what a method made of it; or, for 0, the face itself twice. The last two are top and left of the
    `FEATURES`' boxes in the window, -1 where it doesn't hold the whole box.

    Attributes:
        faces: where the faces come from.
        count: restorations in the pool.
        size: side of the faces in pixels.
        window: side W of the windows in pixels.
        seed: of all choices.
        untouched: share of samples of faces themselves.
    """

    faces: FaceSet
    count: int
    size: int
    window: int
    seed: int
    untouched: float = 0.15
    made: dict[int, Entry] = field(default_factory=dict)
    loaded: dict[str, LoadedMethod] = field(default_factory=dict)

    def __getitem__(self, n: int) -> dict[str, torch.Tensor]:
        generator = np.random.default_rng((self.seed, 1, n))
        place = n % self.count
        if place not in self.made:
            self.made[place] = self.make(place)
        one = self.made[place]
        restored = generator.random() >= self.untouched
        top, left = self.corner(one.boxes, generator)
        mirrored = generator.random() < 0.5
        inside = (slice(top, top + self.window), slice(left, left + self.window))
        pictures = {"image": one.image, "entry": one.restored if restored else one.image}
        sample = {name: to_tensor(picture[inside][:, :: -1 if mirrored else 1]) for name, picture in pictures.items()}
        for name, (y, x) in one.boxes.items():
            sample[name] = torch.tensor(self.within((y - top, x - left), name, mirrored))
        return sample | {"restored": torch.tensor(float(restored))}

    def corner(self, boxes: dict[str, tuple[int, int]], generator: np.random.Generator) -> tuple[int, int]:
        """Top and left of a window."""
        first, last = (0, 0), (self.size - self.window,) * 2
        if generator.random() < LOOKED_AT:
            name = str(generator.choice(list(boxes)))
            ends = [
                place + side - self.window for place, side in zip(boxes[name], box_sides(name, self.size), strict=True)
            ]
            first = tuple(max(0, end) for end in ends)
            last = tuple(min(most, place) for most, place in zip(last, boxes[name], strict=True))
        top, left = (int(generator.integers(a, b + 1)) for a, b in zip(first, last, strict=True))
        return top, left

    def within(self, box: tuple[int, int], name: str, mirrored: bool) -> tuple[int, int]:
        """Top and left of a box in the window, whose place before it may be mirrored is given; or -1 twice."""
        height, width = box_sides(name, self.size)
        top, left = box
        if mirrored:
            left = self.window - width - left
        held = 0 <= top <= self.window - height and 0 <= left <= self.window - width
        return (top, left) if held else (-1, -1)

    def boxes(self, points: np.ndarray) -> dict[str, tuple[int, int]]:
        """Top and left of each feature's box, inside the face, whose five points are given in its pixels."""
        middles = {"eyes": points[:2].mean(axis=0), "mouth": points[3:].mean(axis=0)}
        found = {}
        for name, (x, y) in middles.items():
            height, width = box_sides(name, self.size)
            top, left = round(float(y) - (height - 1) / 2), round(float(x) - (width - 1) / 2)
            found[name] = min(max(top, 0), self.size - height), min(max(left, 0), self.size - width)
        return found

    def make(self, place: int) -> Entry:
        """Number `place` of the pool."""
        generator = np.random.default_rng((self.seed, 0, place))
        face = int(generator.integers(len(self.faces)))
        image = self.faces.image(face, self.size)
        if generator.random() < 0.1:
            image = without_colour(image)
        damage = str(generator.choice(list(DAMAGE), p=list(DAMAGE.values())))
        if damage == "scan":
            spoilt = apply_scan(image, draw_scan(generator))
        else:
            degradation = draw(damage, generator, self.size, self.size)
            spoilt, image = apply(image, degradation), truth(image, degradation)
        way = str(generator.choice(list(WAYS), p=list(WAYS.values())))
        return Entry(image, self.restoration(spoilt, way, place), self.boxes(self.faces.landmarks(face, self.size)))

    def restoration(self, spoilt: np.ndarray, way: str, seed: int) -> np.ndarray:
        """What a method makes of a face, both (S, S, 3) uint8."""
        if way not in self.loaded:
            self.loaded[way] = load(way)
        method = self.loaded[way]
        settings = {**asdict(method.options), "finish": 0}
        if way == "difface":
            settings = {**asdict(method.options), "steps": 0}
        with frozen_pass():
            restored = method(to_tensor(spoilt)[None], **settings, generator=torch.Generator().manual_seed(seed))
        return to_picture(restored.images[0])
