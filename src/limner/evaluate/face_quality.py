"""Whether what is told of a found face is true: how far it is turned, and how damaged it is.

    python -m limner.evaluate.face_quality --data FACES [--count 20] [--found 20]

Turns are measured on the points of `landmarks_mediapipe.csv`. Nobody has measured how far those faces are turned, but a
turn shows twice: in how far the nose leaves the middle, and in how narrow the eyes stand for the height of the face.
The mean head's depth is right where both say the same. Damage is measured on validation faces under presets that are
known to do less or more. The turns that the finder's own points
give are held against those of the labels, on the most turned faces.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from limner.data.faces import FaceSet
from limner.data.pairs import FixedPairs
from limner.errors import LimnerError
from limner.evaluate.landmark_points import read_points
from limner.faces.damage import damage, octaves
from limner.faces.find import find_faces
from limner.faces.pose import MEAN_HEAD, Pose, pose_of
from limner.faces.seen import PROFILE
from limner.photo.photo import Photo

TABLE = "landmarks_mediapipe.csv"
TRUSTED = 0.5
"""Score of the mesh below which its points are left out."""
PRESETS = ("ffhq-ref-moderate", "ffhq-ref-severe")
SIDE = 512
BINS = (0, 10, 20, 30, 40, 50, 90)
"""Degrees of yaw between which faces are put together."""


@dataclass(frozen=True)
class Turns:
    """How labelled faces are turned.

    Attributes:
        files: names without suffix.
        poses: of each.
        narrow: (N,), the distance of the eyes in parts of the height from eyes to mouth, both as seen upright.
    """

    files: list[str]
    poses: list[Pose]
    narrow: np.ndarray

    @property
    def yaw(self) -> np.ndarray:
        """Degrees of each, (N,)."""
        return np.array([pose.yaw for pose in self.poses])

    @property
    def residual(self) -> np.ndarray:
        """Of each fit, in eye distances, (N,)."""
        return np.array([pose.residual for pose in self.poses])

    def by_narrowness(self, least: float, most: float) -> tuple[int, float, float]:
        """Of faces turned by so many degrees to either side: how many they are, by how much the fit says that they are
        turned, and by how much the distance of their eyes alone says so; medians in degrees, NaN of none."""
        turned = np.abs(self.yaw)
        here = (turned >= least) & (turned < most)
        if not here.any():
            return 0, float("nan"), float("nan")
        ahead = (MEAN_HEAD[1, 0] - MEAN_HEAD[0, 0]) / (MEAN_HEAD[3, 1] - MEAN_HEAD[0, 1])
        by_eyes = np.degrees(np.arccos(min(float(np.median(self.narrow[here])) / ahead, 1.0)))
        return int(here.sum()), float(np.median(turned[here])), float(by_eyes)


def turns_of(folder: Path) -> Turns:
    """Fits the mean head to all trusted labels of a folder of faces.

    Raises:
        LimnerError: the folder has no table of MediaPipe's points.
    """
    if not (table := folder / TABLE).is_file():
        raise LimnerError(f"{folder} has no {TABLE}: give the folder of faces that has it.")
    with table.open(encoding="utf-8", newline="") as lines:
        trusted = {Path(row["file"]).stem for row in csv.DictReader(lines) if float(row["mesh_score"]) >= TRUSTED}
    points = {name: five for name, five in read_points(table).items() if name in trusted}
    poses = [pose_of(five) for five in points.values()]
    return Turns(list(points), poses, np.array([_narrow(five) for five in points.values()]))


def _narrow(five: np.ndarray) -> float:
    left, right = five[:2]
    along = (right - left) / np.linalg.norm(right - left)
    height = (five[3:].mean(0) - five[:2].mean(0)) @ np.array([-along[1], along[0]])
    return float(np.linalg.norm(right - left) / max(float(height), 1e-6))


def damages_of(faces: FaceSet, preset: str | None) -> np.ndarray:
    """Damage of faces under a preset, or as they are, (N,)."""
    points = faces.points.astype(np.float64) * SIDE
    if preset is None:
        pictures = (faces.read(place, SIDE) for place in range(len(faces)))
    else:
        pairs = FixedPairs(faces, SIDE, preset)
        pictures = (pairs[place][0] for place in range(len(faces)))
    told = [damage(picture, five) for picture, five in zip(pictures, points, strict=True)]
    return np.array([np.nan if one is None else one for one in told])


def told_of_sharp(faces: FaceSet) -> str:
    """What damage is reckoned against: the lower quartiles of the octaves of sharp faces, a line."""
    points = faces.points.astype(np.float64) * SIDE
    shown = [octaves(faces.read(place, SIDE), points[place]) for place in range(len(faces))]
    table = np.array([[(one.structure, one.share) for one in face] for face in shown])
    structure, share = np.quantile(table, 0.25, axis=0).T
    return f"octaves of {len(faces)} sharp faces: structure {np.round(structure, 2)}, share {np.round(share, 2)}"


def told_of_turns(turns: Turns) -> list[str]:
    """The measurement of turns, a line each."""
    yaw, residual = turns.yaw, turns.residual
    extreme = sorted(range(len(yaw)), key=lambda place: -abs(yaw[place]))[:5]
    return [
        f"yaw of {len(yaw)} faces: mean {yaw.mean():+.2f}, median {np.median(yaw):+.2f}, deviation {yaw.std():.1f}; "
        f"{(yaw > 0).mean():.1%} to the right",
        f"residual: median {np.median(residual):.3f}, 99 % below {np.quantile(residual, 0.99):.3f}, "
        f"most {residual.max():.3f}; {sum(not pose.sure for pose in turns.poses)} fit no head",
        f"profiles, turned by more than {PROFILE:.0f} degrees: {(np.abs(yaw) > PROFILE).sum()}",
        *(f"  {turns.files[place]}: {yaw[place]:+.0f}" for place in extreme),
        *(
            f"{least} to {most} degrees: {count} faces, median {by_fit:.0f}, by the distance of the eyes {by_eyes:.0f}"
            for least, most in pairwise(BINS)
            for count, by_fit, by_eyes in [turns.by_narrowness(least, most)]
        ),
    ]


def told_of_found(turns: Turns, folder: Path, count: int) -> list[str]:
    """What the finder's points say of the faces that are turned most, a line."""
    most = sorted(range(len(turns.files)), key=lambda place: -abs(turns.poses[place].yaw))[:count]
    labelled, found = [], []
    for place in most:
        faces = find_faces(Photo.open(folder / f"{turns.files[place]}.jpg").srgb())
        if faces:
            labelled.append(abs(turns.poses[place].yaw))
            found.append(abs(pose_of(faces[0].landmarks).yaw))
    medians = f", median {np.median(labelled):.0f} by the labels and {np.median(found):.0f} as found" if found else ""
    profiles = sum(yaw > PROFILE for yaw in found)
    return [f"the {len(most)} most turned: {len(found)} found{medians}, {profiles} as profiles"]


def told_of_damage(names: Sequence[str], damages: Sequence[np.ndarray]) -> list[str]:
    """The measurement of damage, a line each, from the least damaged on."""
    lines = []
    for place, (name, values) in enumerate(zip(names, damages, strict=True)):
        low, median, high = np.nanquantile(values, (0.05, 0.5, 0.95))
        more = f"; above the row before in {(values > damages[place - 1]).mean():.0%}" if place else ""
        lines.append(f"damage, {name}: median {median:.2f}, 5 to 95 % {low:.2f} to {high:.2f}{more}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m limner.evaluate.face_quality", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of faces")
    parser.add_argument("--count", type=int, default=20, help="validation faces that are damaged")
    parser.add_argument("--found", type=int, default=20, help="faces, the most turned, that are looked for")
    arguments = parser.parse_args()
    turns = turns_of(arguments.data)
    print(*told_of_turns(turns), sep="\n", flush=True)
    print(*told_of_found(turns, arguments.data, arguments.found), sep="\n", flush=True)
    faces = FaceSet.open(arguments.data, "val").large(SIDE).spread(arguments.count)
    print(told_of_sharp(faces), flush=True)
    damages = [damages_of(faces, preset) for preset in (None, *PRESETS)]
    print(*told_of_damage(["clean", *PRESETS], damages), sep="\n")


if __name__ == "__main__":
    main()
