"""How well damage is found, and how much is marked where there is none.

    python -m limner.evaluate.damage_finding --data FACES [--split val] [--count 100] [--weights FOLDER]
        [--sensitivity 0.3 0.4 0.5] [--kinds]

Photographs that nothing was trained on get synthetic damage with its exact mask (`limner.degrade.damage`), at their own
size: test faces, and the third of the photographs without a face that is kept back. With `--split val`, on which the
default sensitivity is chosen, they are validation faces and the other two thirds. Each pixel counts: precision and
recall of those that the net marks, before the margin that `find_damage` puts around them; pixels whose damage can't be
seen count neither way. Of clean faces the share of marked pixels is told, margin included, and at how many of them any
lies across an eye.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from limner.damage import SENSITIVITY, check_sensitivity
from limner.damage.find import certain, chances, marked
from limner.data.damage import worn
from limner.data.faces import FaceSet, read_picture
from limner.data.nofaces import FOLDER, photographs_of_nobody
from limner.degrade.damage import KINDS, Damaged, damaged, draw_layers
from limner.degrade.scan_wear import draw_scan
from limner.device import choose
from limner.errors import LimnerError
from limner.nets.damage import DamageNet
from limner.weights.load import load_net

EYE = 0.2
"""Radius of an eye, lids included, in distances of the two eyes."""


@dataclass(frozen=True)
class Counts:
    """Pixels without doubt: how many are damaged, how many are marked, and how many are both."""

    damaged: int = 0
    marked: int = 0
    both: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.damaged + other.damaged, self.marked + other.marked, self.both + other.both)

    @property
    def precision(self) -> float:
        """Share of the marked that is damaged; 1 where nothing is marked."""
        return self.both / self.marked if self.marked else 1.0

    @property
    def recall(self) -> float:
        """Share of the damaged that is marked; 1 where nothing is damaged."""
        return self.both / self.damaged if self.damaged else 1.0


@dataclass(frozen=True)
class Spared:
    """What becomes of clean faces.

    Attributes:
        share: of all their pixels that is marked, 0 to 1.
        eyes: faces with a mark across an eye.
        worst: the largest share of one face.
    """

    share: float
    eyes: int
    worst: float


def counted(chance: np.ndarray, case: Damaged, sensitivity: float) -> Counts:
    """Compares chances of damage, (H, W), with what was drawn."""
    sure = ~case.doubtful
    found, truth = certain(chance, sensitivity, case.picture)[sure], case.truth[sure]
    return Counts(int(truth.sum()), int(found.sum()), int((found & truth).sum()))


def with_damage(files: Sequence[Path], kind: str | None = None) -> Iterable[Damaged]:
    """Each photograph with damage, the same in every run; of one kind, or as the net learned from."""
    for number, path in enumerate(files):
        photo, rng = read_picture(path), np.random.default_rng((11, number))
        if kind is None:
            yield worn(photo, rng, damage=True)
        else:
            yield damaged(photo, draw_layers(photo.shape[0], photo.shape[1], rng, [kind]), draw_scan(rng))


def found(net: DamageNet, cases: Iterable[Damaged], sensitivities: Sequence[float]) -> list[Counts]:
    """All pixels of these photographs together, at each sensitivity."""
    totals = [Counts() for _ in sensitivities]
    for case in cases:
        chance = chances(net, case.picture)
        totals = [one + counted(chance, case, at) for one, at in zip(totals, sensitivities, strict=True)]
    return totals


def spared(net: DamageNet, faces: FaceSet, sensitivities: Sequence[float]) -> list[Spared]:
    """Looks at clean faces at their own size, at each sensitivity."""
    shares, eyes = np.zeros((len(sensitivities), len(faces))), np.zeros(len(sensitivities), int)
    for index, side in enumerate(faces.sides):
        face = faces.read(index, side)
        chance, near = chances(net, face), around_eyes(faces.landmarks(index, side), side)
        for row, at in enumerate(sensitivities):
            mask = marked(certain(chance, at, face)) > 0
            shares[row, index] = mask.mean()
            eyes[row] += bool((mask & near).any())
    return [Spared(float(row.mean()), int(count), float(row.max())) for row, count in zip(shares, eyes, strict=True)]


def around_eyes(landmarks: np.ndarray, side: int) -> np.ndarray:
    """Where the eyes of a face are, (side, side) bool, by its five points in pixels."""
    y, x = np.mgrid[:side, :side]
    left, right = landmarks[:2]
    reach = EYE * np.hypot(*(right - left))
    return (np.hypot(x - left[0], y - left[1]) < reach) | (np.hypot(x - right[0], y - right[1]) < reach)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of aligned faces, `nofaces` beside it")
    parser.add_argument("--split", choices=("val", "test"), default="test")
    parser.add_argument("--count", type=int, default=100, help="photographs of each sort")
    parser.add_argument("--weights", type=Path, help="folder of a net; the embedded one by default")
    parser.add_argument("--sensitivity", type=float, nargs="+", default=[SENSITIVITY])
    parser.add_argument("--kinds", action="store_true", help="each kind of damage alone as well, on faces")
    arguments = parser.parse_args()
    for sensitivity in arguments.sensitivity:
        check_sensitivity(sensitivity)
    net = choose().place(load_net(arguments.weights or "mini/damage", DamageNet)).eval()
    faces = FaceSet.open(arguments.data, arguments.split).spread(arguments.count)
    files = [faces.folder / file for file in faces.files]
    others = photographs_of_nobody(arguments.data.parent / FOLDER, measured=arguments.split == "test")
    some = np.unique(np.linspace(0, len(others) - 1, arguments.count).round().astype(int)).tolist()
    sorts = {"faces": with_damage(files), "photographs without a face": with_damage([others[n] for n in some])}
    counts = {sort: found(net, cases, arguments.sensitivity) for sort, cases in sorts.items()}
    kinds = {
        kind: found(net, with_damage(files[::4], kind), arguments.sensitivity) for kind in KINDS if arguments.kinds
    }
    clean = spared(net, faces, arguments.sensitivity)
    for row, sensitivity in enumerate(arguments.sensitivity):
        print(f"sensitivity {sensitivity:g}")
        whole = {"together": sum((one[row] for one in counts.values()), Counts())}
        for sort, one in ({name: one[row] for name, one in (counts | kinds).items()} | whole).items():
            print(f"  {sort}: precision {one.precision:.3f}, recall {one.recall:.3f}")
        print(f"  {len(faces)} clean faces: {clean[row].share:.3%} marked, at worst {clean[row].worst:.2%}, ", end="")
        print(f"across an eye of {clean[row].eyes}")


if __name__ == "__main__":
    try:
        main()
    except LimnerError as error:
        sys.exit(f"limner: {error}")
