"""How alike two photographs of one person are, and of two, by the recogniser that tells people apart: where
`LEAST_ALIKE` and its companions in `limner.faces.references` come from.

    python benchmarks/strangers.py FOLDER

FOLDER holds aligned faces with index.csv and landmarks.csv. Of each person of `held-out`, whom no training saw, and of
`train` who has two photographs, two are taken, at 256 px. Each is spoilt and compared with the whole ones. Of the six
pairs of `train` that lie below .3 when whole two show other people under one name; they are left out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch

from limner import LimnerError
from limner.data.faces import FaceSet, Split
from limner.degrade.degrade import degrade
from limner.faces.references import least_alike
from limner.pixels import to_tensor
from limner.weights import load_identity

SIZE = 256
NOT_ONE_PERSON = {"eig:eig", "s508:iaaf-s-thumbnail"}
Spoil = Callable[[np.ndarray, int], np.ndarray]


def preset(name: str, picture: np.ndarray, number: int) -> np.ndarray:
    return degrade(picture, name, np.random.default_rng(number))


def grey(picture: np.ndarray, number: int) -> np.ndarray:
    return cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


CONDITIONS: dict[str, Spoil] = {"whole": lambda picture, number: picture, "grey": grey}
CONDITIONS |= {name: partial(preset, name) for name in ("ffhq-ref-moderate", "ffhq-ref-severe", "old-print")}


def pairs(folder: Path, split: Split) -> list[np.ndarray]:
    """Two photographs of each person, one after the other."""
    faces = FaceSet.open(folder, split)
    by_person: dict[str, list[int]] = {}
    for place, person in enumerate(faces.people):
        by_person.setdefault(person, []).append(place)
    two = [places[:2] for person, places in by_person.items() if len(places) > 1 and person not in NOT_ONE_PERSON]
    return [faces.image(place, SIZE) for places in two for place in places]


@torch.no_grad()
def embedded(pictures: Sequence[np.ndarray]) -> np.ndarray:
    net = load_identity("mini")
    return torch.cat([net(to_tensor(one)[None]) for one in pictures]).numpy()


def measure(split: Split, pictures: Sequence[np.ndarray]) -> None:
    """Prints a row for each condition."""
    whole, number = embedded(pictures), np.arange(len(pictures))
    for condition, spoil in CONDITIONS.items():
        spoilt = [spoil(picture, n) for n, picture in enumerate(pictures)]
        cosines, least = embedded(spoilt) @ whole.T, np.array([least_alike(picture) for picture in spoilt])
        same, strangers = (number, number ^ 1), number[:, None] // 2 != number // 2
        told, other = cosines < least[:, None], cosines[strangers]
        print(
            f"{split:<9} {len(pictures) // 2:>3} people  {condition:<18} one person: 5 % below "
            f"{np.quantile(cosines[same], 0.05):.2f}, median {np.median(cosines[same]):.2f}, {told[same].mean():5.1%} "
            f"warned of; strangers: median {np.median(other):.2f}, {told[strangers].mean():5.1%} warned of; "
            f"without detail {(least < least_alike(pictures[0])).mean():.0%}",
            flush=True,
        )


def main(folder: Path) -> None:
    for split in ("held-out", "train"):
        measure(split, pairs(folder, split))


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except LimnerError as error:
        sys.exit(f"limner: {error}")
