"""A stream of photographs of faces beside what a method made of them: what the fusion (`nets/fusion.py`) learns from.

Restoring costs a tenth of a second and more, so a pool of restorations is made once, one when it is first asked for,
and shown again and again in other windows, mirrored, and often detuned: the fusion must also fit weights that it has
never seen, good and bad.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import cv2
import numpy as np
import torch
from torch import nn

from limner.data.faces import FaceSet
from limner.degrade.degrade import apply, draw, truth
from limner.degrade.scan_wear import apply_scan, draw_scan
from limner.device import Compute, choose
from limner.faces.align import crop, stretch
from limner.faces.join import cautious, frame_of, grown
from limner.methods import load
from limner.methods.loaded import LoadedMethod
from limner.pixels import to_picture, to_tensor, without_colour

SHOWN = {128: 0.06, 192: 0.08, 256: 0.3, 384: 0.16, 512: 0.28, 1024: 0.12}
"""Sides in pixels at which faces stand in the photographs, and how often."""
DAMAGE = {
    "scan": 0.46,
    "ffhq-ref-moderate": 0.2,
    "ffhq-ref-severe": 0.12,
    "old-print": 0.12,
    "gfpgan": 0.05,
    "difface": 0.05,
}
"""What happened to the photographs: scans and cameras (`scan_wear.py`, to one in twelve nothing), or a preset."""
Way = tuple[str, tuple[tuple[str, int], ...]]
WAYS: Mapping[Way, float] = {
    ("difface", ()): 0.35,
    ("difface", (("steps", 0),)): 0.2,
    ("refldm", ()): 0.1,
    ("ldbfr", ()): 0.1,
    ("clrface", ()): 0.1,
    ("refldm", (("finish", 0),)): 0.05,
    ("ldbfr", (("finish", 0),)): 0.05,
    ("clrface", (("finish", 0),)): 0.05,
}
"""The embedded methods with what they are asked for beside their own settings, and how often."""
FADED = 0.3
"""Share of the photographs that have faded, which nothing here mends: what methods make of them has hard contours."""
DETUNED = 0.3
"""Share of the restorations that are spoiled further, as worse weights would have."""


@dataclass(frozen=True, eq=False)
class Restored:
    """One of the pool; pictures are uint8 RGB.

    Attributes:
        photo, cleaned, truth: (F, F, 3), in the frame of the fusion, see `limner.faces.join.frame_of`.
        restored: (S, S, 3), as the method gave it.
    """

    photo: np.ndarray
    cleaned: np.ndarray
    truth: np.ndarray
    restored: np.ndarray

    def grown(self) -> np.ndarray:
        """The restoration in the frame, (F, F, 3) uint8."""
        return grown(self.restored, len(self.photo))


@dataclass
class Restorations:
    """Sample n is {"photo", "clean", "restored", "image"}, (3, S, S) in [0, 1] each: windows of the frame.

    Attributes:
        faces: where the photographs come from.
        cleaner: (1, 3, H, W) in [0, 1] to the same.
        count: of the pool.
        size: side S of a window, which is the methods' too.
        seed: of all choices.
        shown: sides in pixels at which faces stand in the photographs, and how often.
        damage: what happened to those, see `DAMAGE`, and how often.
        ways: how they are restored, see `WAYS`, and how often.
        compute: of the nets; samples are prepared by processes that may not have the training's accelerator.
    """

    faces: FaceSet
    cleaner: nn.Module
    count: int
    size: int
    seed: int
    shown: Mapping[int, float] = field(default_factory=lambda: SHOWN)
    damage: Mapping[str, float] = field(default_factory=lambda: DAMAGE)
    ways: Mapping[Way, float] = field(default_factory=lambda: WAYS)
    compute: Compute = field(default_factory=lambda: choose("cpu"))
    made: dict[int, Restored] = field(default_factory=dict)
    loaded: dict[str, LoadedMethod] = field(default_factory=dict)

    def __getitem__(self, n: int) -> dict[str, torch.Tensor]:
        generator = np.random.default_rng((self.seed, 1, n))
        one = self.of(n % self.count)
        frame, size = len(one.photo), self.size
        restored = one.restored
        if generator.random() < DETUNED:
            restored = detuned(restored, self.of(int(generator.integers(self.count))).restored, generator)
        restored = grown(restored, frame)
        top, left = (int(generator.integers(frame - size + 1)) for _ in range(2))
        mirror = -1 if generator.random() < 0.5 else 1
        pictures = {"photo": one.photo, "clean": one.cleaned, "restored": restored, "image": one.truth}
        return {
            name: to_tensor(picture[top : top + size, left : left + size][:, ::mirror])
            for name, picture in pictures.items()
        }

    def of(self, place: int) -> Restored:
        """Restoration number `place` of the pool, made when first asked for."""
        if place not in self.made:
            self.made[place] = self.make(place)
        return self.made[place]

    def make(self, place: int) -> Restored:
        """Restoration number `place` of the pool."""
        generator = np.random.default_rng((self.seed, 0, place))
        side = int(generator.choice(list(self.shown), p=list(self.shown.values())))
        large = [i for i, own in enumerate(self.faces.sides) if own >= min(side, 384)]
        photo, image = spoilt(self.faces.image(int(generator.choice(large)), side), self.damage, generator)
        chosen = list(self.ways)[int(generator.choice(len(self.ways), p=list(self.ways.values())))]
        return join_frame(photo, image, self.restoration(photo, *chosen, seed=place), self.cleaned(photo))

    @torch.no_grad()
    def restoration(self, photo: np.ndarray, name: str, asked: tuple[tuple[str, int], ...], seed: int) -> np.ndarray:
        """A method's restoration of a whole photograph, (D, D, 3) to (S, S, 3) uint8."""
        if name not in self.loaded:
            self.loaded[name] = load(name)
            for net in self.loaded[name].nets:
                self.compute.place(net)
        method = self.loaded[name]
        settings = {**asdict(method.options), "finish": method.finish, **dict(asked)}
        shown = crop(photo, stretch(len(photo), len(photo), self.size), self.size)
        noise = torch.Generator().manual_seed(seed)
        return to_picture(method(to_tensor(shown)[None], **settings, generator=noise).images[0])

    @torch.no_grad()
    def cleaned(self, photo: np.ndarray) -> np.ndarray:
        """A photograph as clean as it is before it is joined, (D, D, 3) uint8 both."""
        seen = to_tensor(photo)[None]
        return to_picture(cautious(seen, self.compute.place(self.cleaner)(seen).clamp(0, 1))[0])


def join_frame(photo: np.ndarray, image: np.ndarray, restored: np.ndarray, cleaned: np.ndarray) -> Restored:
    """Photo, truth and clean photo, (D, D, 3), brought to the frame in which the restoration (S, S, 3) is joined."""
    side, frame = len(photo), frame_of(len(photo), len(restored))
    photo, cleaned, image = (crop(one, stretch(side, side, frame), frame) for one in (photo, cleaned, image))
    return Restored(photo, cleaned, image, restored)


def spoilt(
    image: np.ndarray, damages: Mapping[str, float], generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A face as it may come, and what it should become, (D, D, 3) uint8 each; `damages` as `DAMAGE`."""
    if generator.random() < 0.15:
        image = without_colour(image)
    if generator.random() < FADED:
        contrast = generator.uniform(0.25, 0.9)
        lift = 255 * (1 - contrast) * generator.uniform(0, 1)
        image = np.rint(contrast * image.astype(np.float32) + lift).astype(np.uint8)
    damage = str(generator.choice(list(damages), p=list(damages.values())))
    if damage == "scan":
        return apply_scan(image, draw_scan(generator)), image
    degradation = draw(damage, generator, image.shape[1], image.shape[0])
    return apply(image, degradation), truth(image, degradation)


def detuned(restored: np.ndarray, wrong: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A restoration as worse weights might give it, (S, S, 3) uint8; `wrong` is another person's."""
    image = restored.astype(np.float32) / 255
    size = len(image)
    for kind in generator.choice(7, int(generator.integers(1, 3)), replace=False):
        if kind == 0:  # another person shines through
            image = image + generator.uniform(0.1, 1) * (wrong.astype(np.float32) / 255 - image)
        elif kind == 1:
            image = cv2.GaussianBlur(image, (0, 0), generator.uniform(0.5, 3))
        elif kind == 2:  # patterns of a net that was trained too little
            layer = cv2.GaussianBlur(
                generator.standard_normal((size, size, 3)).astype(np.float32), (0, 0), generator.uniform(0.3, 4)
            )
            image = image + generator.uniform(0.01, 0.15) * layer / layer.std()
        elif kind == 3:  # wrong colours
            image = image * generator.uniform(0.85, 1.15, 3) + generator.uniform(-0.08, 0.08, 3)
        elif kind == 4:  # another expression, or points that are off
            bend = generator.normal(0, generator.uniform(0.002, 0.012), (5, 5, 2)) * size
            places = np.stack(np.meshgrid(np.arange(size), np.arange(size)), -1) + cv2.resize(bend, (size, size))
            xs, ys = places.astype(np.float32).transpose(2, 0, 1)
            image = cv2.remap(image.astype(np.float32), xs, ys, cv2.INTER_LINEAR)
        elif kind == 5:  # too crisp
            image = image + generator.uniform(0.3, 1.5) * (image - cv2.GaussianBlur(image, (0, 0), 1.2))
        else:  # no face at all
            image = generator.uniform(0, 1) + 0.3 * cv2.resize(
                generator.standard_normal((int(generator.integers(4, 64)),) * 2 + (3,)), (size, size)
            )
        image = image.astype(np.float32)
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
