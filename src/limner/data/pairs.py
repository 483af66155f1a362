"""Streams of training samples made from a `FaceSet`: clean faces, and pairs of a degraded and a clean face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import overload

import numpy as np
import torch

from limner.data.faces import FaceSet
from limner.degrade.degrade import Degradation, apply, draw, truth
from limner.pixels import to_tensor, without_colour


class Faces:
    """An endless stream of clean faces: sample n is {"image": (3, S, S)}, shuffled anew each epoch.

    Args:
        faces: where they come from.
        size: side S in pixels.
        seed: of order and augmentation.
        flip: whether half of the faces are mirrored.
        grey: share of faces that lose their colour, since old photographs have none.
    """

    def __init__(self, faces: FaceSet, size: int, seed: int, flip: bool = True, grey: float = 0.0):
        self.faces, self.size, self.seed, self.flip, self.grey = faces, size, seed, flip, grey

    def place(self, n: int, generator: np.random.Generator) -> int:
        """Which face sample n is made of."""
        epoch, place = divmod(n, len(self.faces))
        order = np.random.default_rng((self.seed, 0, epoch)).permutation(len(self.faces))
        return int(order[place])

    def picture(self, n: int) -> tuple[np.ndarray, int, np.random.Generator]:
        """The face of sample n, (S, S, 3) uint8, its place among the faces, and the generator for whatever else the
        sample needs."""
        generator = np.random.default_rng((self.seed, 1, n))
        place = self.place(n, generator)
        image = self.faces.image(place, self.size)
        if self.flip and generator.random() < 0.5:
            image = image[:, ::-1]
        if generator.random() < self.grey:
            image = without_colour(image)
        return image, place, generator

    def __getitem__(self, n: int) -> dict[str, torch.Tensor]:
        return {"image": to_tensor(self.picture(n)[0])}


class RestorationPairs(Faces):
    """As `Faces`, with the degraded face beside it: sample n is {"lq": (3, S, S), "image": (3, S, S)}.

    Args:
        presets: degradation presets and how often each is drawn (weights need not sum to 1).
    """

    def __init__(self, faces: FaceSet, size: int, seed: int, presets: Mapping[str, float], grey: float = 0.0):
        super().__init__(faces, size, seed, grey=grey)
        self.names = list(presets)
        self.chances = np.array(list(presets.values())) / sum(presets.values())

    def __getitem__(self, n: int) -> dict[str, torch.Tensor]:
        return self.pair(n)[0]

    def pair(self, n: int) -> tuple[dict[str, torch.Tensor], int, np.random.Generator]:
        """Sample n, the place of its face, and the generator for what follows."""
        image, place, generator = self.picture(n)
        preset = str(generator.choice(self.names, p=self.chances))
        degradation = draw(preset, generator, self.size, self.size)
        lq, image = apply(image, degradation), truth(image, degradation)
        return {"lq": to_tensor(lq), "image": to_tensor(image)}, place, generator


Pair = tuple[np.ndarray, np.ndarray]
"""A degraded face and what should come back, (S, S, 3) uint8 each."""


class FixedPairs(Sequence[Pair]):
    """Every face with its one fixed degraded twin, made when it is asked for: (degraded, what should come back: the
    clean face, in the tone that the degradation gave).

    The generator is seeded by the file's name, so that a face is spoiled alike whichever others are measured.

    Args:
        faces: all of them are taken.
        size: S, side of the pictures in pixels.
        preset: see `limner.degrade.degrade.preset_names`.
    """

    def __init__(self, faces: FaceSet, size: int, preset: str):
        self.faces, self.size, self.preset = faces, size, preset

    def __len__(self) -> int:
        return len(self.faces)

    @overload
    def __getitem__(self, place: int) -> Pair: ...
    @overload
    def __getitem__(self, place: slice) -> list[Pair]: ...
    def __getitem__(self, place: int | slice) -> Pair | list[Pair]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        index = range(len(self))[place]
        clean, degradation = self.faces.read(index, self.size), self.degradation(index)
        return apply(clean, degradation), truth(clean, degradation)

    def degradation(self, index: int) -> Degradation:
        """What the face at this place is spoiled with."""
        return draw(self.preset, named_generator(self.faces.files[index], self.preset), self.size, self.size)


def fixed_pairs(faces: FaceSet, size: int, preset: str) -> list[Pair]:
    """All pairs of `FixedPairs` at once."""
    return list(FixedPairs(faces, size, preset))


def named_generator(file: str, preset: str) -> np.random.Generator:
    """The generator that belongs to one file under one preset."""
    return np.random.default_rng(list(f"{preset}/{file}".encode()))
