"""Fits `mini/discriminant`, the last layer of the album's recogniser, in closed form.

    python -m limner.train.discriminant --data FACES -o FOLDER

Fisher's discriminant: of the directions in the descriptions of a face (`limner.faces.recogniser.Describer`) those in
which people differ most for how far photographs of one person lie apart. What lies apart is measured twice: between a
face and its damaged copies, and between the two photographs of the people of `train` who have two.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

from limner.data.faces import FaceSet
from limner.data.pairs import named_generator
from limner.evaluate.damages import damaged
from limner.faces.recogniser import SIDE, Describer
from limner.nets.discriminant import Discriminant

KNOWN = 256  # length of the recogniser's part of a description
COMPONENTS = 256
"""Principal components of the classical part that are kept."""

SHRINK = 0.1
"""Of the variance within people, spread over all directions alike."""

EMBEDDING = 280
DAMAGES = ("ffhq-ref-moderate", "old-print", "ffhq-ref-severe")
BADLY = "ffhq-ref-severe"  # what is described as it is restored, too

NOT_ONE_PERSON = {"eig:eig", "s508:iaaf-s-thumbnail"}
"""Names in the collection under which different people go."""


def descriptions(faces: FaceSet, count: int, seed: int, show: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """What the discriminant learns from.

    Args:
        faces: of `train`.
        count: faces whose damaged copies are described.
        seed: of their choice.
        show: whether progress goes to the error stream.

    Returns:
        Faces and their copies under each of `DAMAGES`, (count, 1 + damages, F) float32; and the two photographs of each
        person who has two, (pairs, 2, F).
    """
    describe, by_person = Describer(), dict[str, list[int]]()
    for place, person in enumerate(faces.people):
        by_person.setdefault(person, []).append(place)
    pairs = [places[:2] for person, places in by_person.items() if len(places) > 1 and person not in NOT_ONE_PERSON]
    single = [places[0] for places in by_person.values() if len(places) == 1]
    chosen = np.random.default_rng(seed).permutation(single)[:count].tolist()
    copies = []
    for number, place in enumerate(chosen):
        picture, name = faces.read(place, SIDE), faces.files[place]
        looks = [describe(damaged(picture, one, named_generator(name, one))[0], one == BADLY) for one in DAMAGES]
        copies.append(torch.stack([describe(picture), *looks]).numpy())
        if show and number % 50 == 0:
            print(f"{number} of {len(chosen)} faces", file=sys.stderr, flush=True)
    two = [[describe(faces.read(place, SIDE)).numpy() for place in places] for places in pairs]
    return np.stack(copies), np.array(two)


def fitted(copies: np.ndarray, pairs: np.ndarray, embedding: int = EMBEDDING) -> Discriminant:
    """The discriminant of descriptions; both arguments as `descriptions` returns them.

    With S_w the scatter within people and S_b that between them, the directions are those of S_b v = l S_w v, each
    weighed by sqrt(l / (1 + l)): one that tells nothing about people counts nothing.
    """
    clean = copies[:, 0].astype(np.float64)
    mean = clean.mean(0)
    _, _, axes = np.linalg.svd(clean[:, KNOWN:] - mean[KNOWN:], full_matrices=False)
    components = axes[:COMPONENTS]
    basis = np.zeros((KNOWN + len(components), len(mean)))
    basis[:KNOWN, :KNOWN], basis[KNOWN:, KNOWN:] = np.eye(KNOWN), components

    def reduced(described: np.ndarray) -> np.ndarray:
        return (described - mean) @ basis.T

    by_damage = [reduced(copies[:, one]) - reduced(clean) for one in range(1, copies.shape[1])]
    moved = np.mean([one.T @ one / len(one) for one in by_damage], axis=0)
    apart = (reduced(pairs[:, 0]) - reduced(pairs[:, 1])) / np.sqrt(2)
    within = moved / 2 + apart.T @ apart / len(apart)
    within += SHRINK * np.trace(within) / len(within) * np.eye(len(within))
    whiten = np.linalg.inv(np.linalg.cholesky(within))
    ratios, turned = np.linalg.eigh(whiten @ np.cov(reduced(clean).T) @ whiten.T)
    directions = whiten.T @ turned
    best = np.argsort(-ratios)[:embedding]
    weights = np.sqrt(np.maximum(ratios[best], 0) / (1 + np.maximum(ratios[best], 0)))
    net = Discriminant(len(mean), len(best))
    net.mean.copy_(torch.from_numpy(mean))
    net.project.weight.data.copy_(torch.from_numpy((directions[:, best] * weights).T @ basis))
    return net


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m limner.train.discriminant", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of aligned faces with its two tables")
    parser.add_argument("--output", "-o", type=Path, required=True, help="folder for the net")
    parser.add_argument("--count", type=int, default=700, help="faces whose damaged copies are looked at")
    given = parser.parse_args()
    copies, pairs = descriptions(FaceSet.open(given.data, "train"), given.count, seed=0, show=True)
    fitted(copies, pairs).half().save_pretrained(given.output)


if __name__ == "__main__":
    main()
