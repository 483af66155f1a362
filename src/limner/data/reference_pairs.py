"""Streams of training samples with references: a degraded and a clean face, and other pictures of the same person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
import torch

from limner.data.augment import Augmentation, vary
from limner.data.faces import FaceSet
from limner.data.pairs import RestorationPairs
from limner.pixels import to_tensor, without_colour


class ReferencePairs(RestorationPairs):
    """As `RestorationPairs`, with references: sample n is {"lq", "image": (3, S, S), "references": (most, 3, S, S),
    "present": (most,) bool}.

    References are the person's other photographs, varied; where there is none, varied copies of the photograph itself.

    Args:
        augmentation: how references are varied.
        most: references of a sample at most, and places in the tensor.
        fewest: at least; the number is drawn once for every `group` samples in a row, so that a batch holds few
            empty places.
        known: chance that a sample is of somebody with several photographs; None leaves it to the order of the faces.
    """

    def __init__(
        self,
        faces: FaceSet,
        size: int,
        seed: int,
        presets: Mapping[str, float],
        augmentation: Augmentation,
        most: int = 5,
        fewest: int = 5,
        group: int = 8,
        known: float | None = None,
        grey: float = 0.0,
    ):
        super().__init__(faces, size, seed, presets, grey=grey)
        self.augmentation, self.most, self.fewest, self.group, self.known = augmentation, most, fewest, group, known
        places = defaultdict(list)
        for place, person in enumerate(faces.people):
            places[person].append(place)
        self.others = [[one for one in places[person] if one != i] for i, person in enumerate(faces.people)]
        self.several = [i for i, others in enumerate(self.others) if others]

    def place(self, n: int, generator: np.random.Generator) -> int:
        if self.known and self.several and generator.random() < self.known:
            return self.several[int(generator.integers(len(self.several)))]
        return super().place(n, generator)

    def __getitem__(self, n: int) -> dict[str, torch.Tensor]:
        sample, place, generator = self.pair(n)
        count = int(np.random.default_rng((self.seed, 2, n // self.group)).integers(self.fewest, self.most + 1))
        sources = [*self.others[place]] or [place]
        generator.shuffle(sources)
        references = torch.zeros(self.most, 3, self.size, self.size)
        grey = bool((sample["image"] == sample["image"][:1]).all())
        for number in range(count):
            picture = vary(self.faces.image(sources[number % len(sources)], self.size), self.augmentation, generator)
            # an old photograph's references are as likely in colour as not
            if grey and generator.random() < 0.5:
                picture = without_colour(picture)
            references[number] = to_tensor(picture)
        present = torch.arange(self.most) < count
        return {**sample, "references": references, "present": present}
