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


@dataclass
class Entries:
    """Sample n is {"image", "entry": (3, W, W) in [0, 1], "restored": 1 or 0}: a window of a face, and of what a method
    made of it; or, for 0, the face itself twice.

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
    made: dict[int, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    loaded: dict[str, LoadedMethod] = field(default_factory=dict)

    def __getitem__(self, n: int) -> dict[str, torch.Tensor]:
        generator = np.random.default_rng((self.seed, 1, n))
        place = n % self.count
        if place not in self.made:
            self.made[place] = self.make(place)
        image, entry = self.made[place]
        restored = generator.random() >= self.untouched
        y, x = generator.integers(0, self.size - self.window + 1, 2).tolist()
        mirror = -1 if generator.random() < 0.5 else 1
        inside = (slice(y, y + self.window), slice(x, x + self.window))
        pictures = {"image": image, "entry": entry if restored else image}
        sample = {name: to_tensor(picture[inside][:, ::mirror]) for name, picture in pictures.items()}
        return sample | {"restored": torch.tensor(float(restored))}

    def make(self, place: int) -> tuple[np.ndarray, np.ndarray]:
        """Number `place` of the pool: the face as it should be, and as a method restored it, (S, S, 3) uint8 each."""
        generator = np.random.default_rng((self.seed, 0, place))
        image = self.faces.image(int(generator.integers(len(self.faces))), self.size)
        if generator.random() < 0.1:
            image = without_colour(image)
        damage = str(generator.choice(list(DAMAGE), p=list(DAMAGE.values())))
        if damage == "scan":
            spoilt = apply_scan(image, draw_scan(generator))
        else:
            degradation = draw(damage, generator, self.size, self.size)
            spoilt, image = apply(image, degradation), truth(image, degradation)
        way = str(generator.choice(list(WAYS), p=list(WAYS.values())))
        return image, self.restoration(spoilt, way, place)

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
