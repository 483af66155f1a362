"""Do two photographs show the same person, and how surely does a measure of identity say so?

    python -m limner.evaluate.identity --data FACES [--split held-out | --split test+held-out]

All people of a split with two photographs or more take part, with their first two. Every photograph is a probe, clean
or degraded, and is compared with every other photograph, clean: the one of the same person is the positive pair, those
of the others are the negative ones. The figures are given for the recogniser `mini/identity` and for `HogIdentity`,
which was trained on nothing and that no training uses.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np
import torch
from torch import Tensor

from limner.data.faces import FaceSet, Split
from limner.data.pairs import named_generator
from limner.degrade.degrade import apply, draw
from limner.errors import LimnerError
from limner.evaluate.dlib_identity import dlib_recogniser
from limner.evaluate.protocols import Request
from limner.evaluate.report import Report, Row
from limner.faces.hog import HogIdentity
from limner.pixels import to_tensor
from limner.weights.formats import dlib
from limner.weights.load import load_identity

if TYPE_CHECKING:
    from limner.restorer import Restorer

SIDE = 512
CONDITIONS = (None, "ffhq-ref-moderate", "ffhq-ref-severe")

Recogniser = Callable[[Tensor], Tensor]
"""Crops (B, 3, H, W) in [0, 1] to unit vectors (B, D): an `IdentityNet`, or `HogIdentity`."""


def recogniser_from(path: Path) -> Recogniser:
    """A recogniser of the user's, on the CPU.

    Args:
        path: dlib's file (`.dat`); or what `load_identity` takes.

    Raises:
        WeightsError: there is no such source, or it is damaged or another net.
        LimnerError: an ONNX file, and the package `onnx` is missing.
    """
    return dlib_recogniser(path) if path.suffix.lower() == ".dat" else load_identity(path)


@dataclass(frozen=True)
class Verification:
    """One row of the table.

    Attributes:
        measure: its name.
        degraded: None, or the preset that the probes were spoiled with.
        people: how many, with two photographs each.
        same, different: mean cosine of photographs of one person, and of two.
        same_spread, different_spread: their standard deviations.
        accuracy: of the best threshold, left-one-person-out, mean of the share of positive pairs above it and the
            share of negative pairs below it; chance is 0.5.
        auc: chance that a positive pair is more alike than a negative one.
        rank1: share of the probes whose nearest photograph is the person's other one; chance is 1 / (2 people - 1).
    """

    measure: str
    degraded: str | None
    people: int
    same: float
    same_spread: float
    different: float
    different_spread: float
    accuracy: float
    auc: float
    rank1: float


@dataclass(frozen=True)
class Photographs:
    """What is verified: `crops` (2 n, 3, S, S) of n people, photographs 2 i and 2 i + 1 show person i."""

    people: list[str]
    crops: dict[str | None, Tensor]

    @classmethod
    def of(
        cls, faces: FaceSet, conditions: Sequence[str | None] = CONDITIONS, people: Sequence[str] | None = None
    ) -> Photographs:
        """The first two photographs of all who have two, or of those in `people` alone, degraded at 512 px by the
        generator that belongs to the file.

        Raises:
            LimnerError: fewer than three such people, of whom none could be left out.
        """
        places: dict[str, list[int]] = {}
        for index, person in enumerate(faces.people):
            places.setdefault(person, []).append(index)
        chosen = {p: two[:2] for p, two in places.items() if len(two) > 1 and (people is None or p in people)}
        if len(chosen) < 3:
            raise LimnerError(f"Verification in {faces.folder} needs at least three people with two photographs.")
        indices = [index for two in chosen.values() for index in two]
        crops: dict[str | None, Tensor] = {}
        for condition in conditions:
            pictures = [faces.image(index, SIDE) for index in indices]
            if condition:
                generators = [named_generator(faces.files[index], condition) for index in indices]
                pictures = [
                    apply(picture, draw(condition, generator, SIDE, SIDE))
                    for picture, generator in zip(pictures, generators, strict=True)
                ]
            crops[condition] = torch.stack([to_tensor(picture) for picture in pictures])
        return cls(list(chosen), crops)


@torch.inference_mode()
def verify(recogniser: Recogniser, photographs: Photographs, name: str = "") -> list[Verification]:
    """A row for each condition of the photographs; the gallery is the clean ones."""
    gallery = embed(recogniser, photographs.crops[None])
    return [
        figures(embed(recogniser, crops) @ gallery.T, name, condition) for condition, crops in photographs.crops.items()
    ]


def embed(recogniser: Recogniser, crops: Tensor, batch: int = 16) -> Tensor:
    """The vectors (N, D) of crops (N, 3, H, W), some at a time."""
    return torch.cat([recogniser(some) for some in crops.split(batch)])


@torch.inference_mode()
def vectors(recogniser: Recogniser, pictures: Sequence[np.ndarray], batch: int = 16) -> np.ndarray:
    """Unit vectors of pictures, (S, S, 3) uint8 each, of which some are taken up at a time: (N, D) float64."""
    batches = (pictures[first : first + batch] for first in range(0, len(pictures), batch))
    found = [recogniser(torch.stack([to_tensor(picture) for picture in some])) for some in batches]
    return torch.cat(found).double().cpu().numpy()


def figures(similarity: Tensor, name: str = "", degraded: str | None = None) -> Verification:
    """What a matrix of cosines says, probes in rows and the gallery in columns, both in the order of `Photographs`."""
    cosine = similarity.double().cpu().numpy()
    person = np.arange(len(cosine)) // 2
    mate = np.arange(len(cosine)) ^ 1
    same = cosine[np.arange(len(cosine)), mate]
    others = person[:, None] != person
    different = cosine[others]
    apart = np.where(np.eye(len(cosine), dtype=bool), -np.inf, cosine)
    return Verification(
        name,
        degraded,
        len(cosine) // 2,
        float(same.mean()),
        float(same.std()),
        float(different.mean()),
        float(different.std()),
        _accuracy(cosine, person),
        auc(same, different),
        float((apart.argmax(1) == mate).mean()),
    )


def _accuracy(cosine: np.ndarray, person: np.ndarray) -> float:
    """Balanced accuracy at the threshold that suits all the others best, averaged over the people left out."""
    results = []
    pairs = ~np.eye(len(cosine), dtype=bool)
    alike = (person[:, None] == person) & pairs
    unlike = person[:, None] != person
    for left_out in np.unique(person):
        involved = (person == left_out)[:, None] | (person == left_out)
        threshold = best_threshold(cosine[alike & ~involved], cosine[unlike & ~involved])
        right = np.mean(cosine[alike & involved] > threshold), np.mean(cosine[unlike & involved] <= threshold)
        results.append(np.mean(right))
    return float(np.mean(results))


def best_threshold(same: np.ndarray, different: np.ndarray) -> float:
    """The similarity above which pairs are best called the same person, both kinds of mistake weighing alike.

    Of a stretch of equally good ones it is the middle.
    """
    values = np.unique(np.concatenate([same, different]))
    between = np.concatenate([[values[0] - 1e-6], (values[1:] + values[:-1]) / 2, [values[-1] + 1e-6]])
    missed = np.searchsorted(np.sort(same), between, side="right") / len(same)
    rejected = np.searchsorted(np.sort(different), between, side="right") / len(different)
    score = rejected - missed
    best = np.flatnonzero(score >= score.max() - 1e-12)
    return float((between[best[0]] + between[best[-1]]) / 2)


def auc(same: np.ndarray, different: np.ndarray) -> float:
    """Chance that one of `same` is above one of `different`; a tie counts half."""
    ordered = np.sort(different)
    below = np.searchsorted(ordered, same, side="left") + np.searchsorted(ordered, same, side="right")
    return float(below.mean() / (2 * len(different)))


def judges() -> dict[str, Recogniser]:
    """The recognisers that identity is measured by: the embedded one, `HogIdentity` and, where its package is
    installed, dlib's."""
    recognisers: dict[str, Recogniser] = {"mini/identity": load_identity(), "HOG": HogIdentity()}
    if dlib.installed():
        recognisers["dlib"] = dlib_recogniser()
    return recognisers


def measure_all(faces: FaceSet) -> list[Verification]:
    """All `judges` under every condition."""
    photographs = Photographs.of(faces)
    return [row for name, recogniser in judges().items() for row in verify(recogniser, photographs, name)]


def run(request: Request, restorers: Mapping[str, Restorer]) -> Report:
    """The protocol `verification`, of the people of the splits; it restores nothing.

    Raises:
        LimnerError: if the folder lacks its tables, or fewer than three people have two photographs.
    """
    rows = measure_all(request.faces())
    return Report({"protocol": "verification"}, [Row(asdict(row)) for row in rows], text=table(rows))


def table(rows: Sequence[Verification]) -> str:
    """The rows as text."""
    lines = ["measure        probes            people      same person     other people  accuracy    AUC  rank 1"]
    for row in rows:
        lines.append(
            f"{row.measure:<14} {row.degraded or 'clean':<17}{row.people:>7}"
            f"{row.same:>10.3f} ± {row.same_spread:.3f}{row.different:>9.3f} ± {row.different_spread:.3f}"
            f"{row.accuracy:>10.1%}{row.auc:>7.3f}{row.rank1:>8.1%}"
        )
    lines.append(
        "Cosines: mean ± standard deviation. Accuracy: balanced pairs, one person left out at a time, chance 50 %."
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m limner.evaluate.identity", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of aligned faces with its two tables")
    parser.add_argument("--split", choices=(*get_args(Split), "test+held-out"), default="held-out")
    arguments = parser.parse_args()
    print(table(measure_all(FaceSet.open(arguments.data, *arguments.split.split("+")))))


if __name__ == "__main__":
    main()
