"""How alike two photographs of one person are, and of two, by the recogniser that tells people apart: where
`LEAST_ALIKE` of `limner.faces.references` comes from.

    python benchmarks/strangers.py FOLDER

FOLDER holds aligned faces with index.csv and landmarks.csv; of each person of its splits `test` and `held-out` who has
two photographs, two are taken, at 256 px. Each is spoilt and compared with the whole ones.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from limner import LimnerError
from limner.data.faces import FaceSet
from limner.degrade.degrade import degrade
from limner.faces.references import LEAST_ALIKE
from limner.pixels import to_tensor
from limner.weights import load_identity

SIZE = 256


def pairs(folder: Path) -> tuple[list[np.ndarray], np.ndarray]:
    """Two photographs of each person, and who it is."""
    pictures, people = [], []
    for split in ("test", "held-out"):
        faces = FaceSet.open(folder, split)
        by_person: dict[str, list[int]] = {}
        for place, person in enumerate(faces.people):
            by_person.setdefault(person, []).append(place)
        for person, places in by_person.items():
            if len(places) > 1:
                pictures += [faces.image(place, SIZE) for place in places[:2]]
                people += [person, person]
    return pictures, np.array(people)


@torch.no_grad()
def embedded(pictures: Sequence[np.ndarray]) -> np.ndarray:
    net = load_identity("mini")
    return torch.cat([net(to_tensor(one)[None]) for one in pictures]).numpy()


def main(folder: Path) -> None:
    pictures, people = pairs(folder)
    alike = people[:, None] == people
    one_person, strangers = alike & ~np.eye(len(people), dtype=bool), ~alike
    whole = embedded(pictures)
    for preset in (None, "ffhq-ref-moderate", "ffhq-ref-severe"):
        spoilt = [degrade(one, preset, np.random.default_rng(i)) if preset else one for i, one in enumerate(pictures)]
        cosines = embedded(spoilt) @ whole.T
        for who, some in (("one person", cosines[one_person]), ("strangers", cosines[strangers])):
            print(
                f"{preset or 'whole'}, {who}: least {some.min():.2f}, median {np.median(some):.2f}, most "
                f"{some.max():.2f}, {(some < LEAST_ALIKE).mean():.0%} below {LEAST_ALIKE}"
            )


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except LimnerError as error:
        sys.exit(f"limner: {error}")
