"""What fills the holes of faces how well: OpenCV's two ways, the embedded estimator alone, and the whole chain.

    python -m limner.evaluate.holes --data FACES [--split test] [--limit 32] [--weights FOLDER] [--sheet FILE]

Holes are of the kinds of the paper's test set and scratches, one of each for every face, alike in every run. Outside
them all rows show the truth, bit for bit, so that a distance of whole faces is one of what was filled in.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import cv2
import numpy as np
import torch

from limner.data.faces import FaceSet, Split
from limner.data.holes import KINDS, scratches
from limner.data.pairs import named_generator
from limner.device import frozen_pass
from limner.evaluate.metrics.fidelity import psnr
from limner.evaluate.metrics.perceptual import efficientnet_distance, perceptual_distance
from limner.evaluate.report import contact_sheet
from limner.holes.surroundings import RADIUS
from limner.methods.difface_inpainting import DIFFACE_INPAINTING
from limner.methods.loaded import LoadedMethod, load_method
from limner.pixels import to_picture, to_tensor

Fill = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From a face, (S, S, 3) uint8, its holes black, and its mask, (S, S) uint8, to a face."""
MEASURED = {**KINDS, "scratch": scratches}
BLACK = 0


@dataclass(frozen=True)
class Line:
    """What a way of filling did with one kind of hole, means over the faces.

    Attributes:
        kind, way: of holes, and of filling.
        psnr: in the holes, dB.
        perceptual, efficientnet: distances of whole faces, see `limner.evaluate.metrics.perceptual`.
    """

    kind: str
    way: str
    psnr: float
    perceptual: float
    efficientnet: float

    def __str__(self) -> str:
        return (
            f"{self.kind}: {self.way}: {self.psnr:.2f} dB in the holes, perceptual distance {self.perceptual:.4f}, "
            f"EfficientNet's {self.efficientnet:.4f}"
        )


def ways_of(method: LoadedMethod) -> dict[str, Fill]:
    """The ways of filling that are measured, by name."""

    def chain(steps: int | None) -> Fill:
        how: dict[str, Any] = asdict(method.options)
        if steps is not None:
            how["steps"] = steps

        def fill(face: np.ndarray, mask: np.ndarray) -> np.ndarray:
            hole = torch.from_numpy(mask / np.float32(255))[None, None]
            generator = torch.Generator().manual_seed(0)
            with frozen_pass():
                out = method(to_tensor(face)[None], masks=hole, generator=generator, **how)
            return to_picture(out.images[0])

        return fill

    return {
        "Telea": lambda face, mask: cv2.inpaint(face, mask, RADIUS, cv2.INPAINT_TELEA),
        "Navier-Stokes": lambda face, mask: cv2.inpaint(face, mask, RADIUS, cv2.INPAINT_NS),
        "estimator": chain(0),
        "difface": chain(None),
    }


def measure(faces: FaceSet, ways: Mapping[str, Fill], size: int, sheet: Path | None = None) -> Iterator[Line]:
    """All lines, as they come.

    Args:
        faces: all of them are taken.
        ways: of filling.
        size: side of the faces in pixels.
        sheet: where a picture of the first faces is written; None writes none.

    Raises:
        AssertionError: if a way changed anything outside the holes.
    """
    rows: list[list[np.ndarray]] = []
    for kind, draw in MEASURED.items():
        figures: dict[str, list[tuple[float, float, float]]] = {way: [] for way in ways}
        for number, file in enumerate(faces.files):
            truth, mask = faces.image(number, size), draw(size, named_generator(file, kind))
            holes = mask > 0
            torn = np.where(holes[..., None], BLACK, truth).astype(np.uint8)
            filled = {way: fill(torn, mask) for way, fill in ways.items()}
            for way, picture in filled.items():
                assert np.array_equal(picture[~holes], truth[~holes]), f"{way} changed what is known"
                inside = psnr(picture[holes][None], truth[holes][None])
                distances = perceptual_distance(picture, truth), efficientnet_distance(picture, truth)
                figures[way].append((inside, *distances))
            if number < 2:
                rows.append([torn, *filled.values(), truth])
        yield from (Line(kind, way, *np.mean(found, axis=0).tolist()) for way, found in figures.items())
    if sheet:
        cv2.imwrite(str(sheet), contact_sheet(rows, ["holes", *ways, "truth"])[..., ::-1])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m limner.evaluate.holes", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of aligned faces with its two tables")
    parser.add_argument("--split", choices=get_args(Split), default="test")
    parser.add_argument("--limit", type=int, help="faces, evenly spread; all by default")
    parser.add_argument("--weights", default="mini", help="mini, or a folder with estimator and unet")
    parser.add_argument("--sheet", type=Path, help="file for a picture of the first faces")
    arguments = parser.parse_args()
    faces = FaceSet.open(arguments.data, arguments.split)
    if arguments.limit is not None and arguments.limit < 1:
        parser.error("--limit takes 1 or more faces.")
    method = load_method(DIFFACE_INPAINTING, arguments.weights)
    some = faces.spread(arguments.limit) if arguments.limit else faces
    lines: list[Line] = []
    for line in measure(some, ways_of(method), method.info.size, arguments.sheet):
        lines.append(line)
        print(line, flush=True)
    for way in ("estimator", "difface"):
        gains = {kind: gain(lines, kind, way) for kind in MEASURED}
        told = ", ".join(f"{kind} {more:+.2f} dB, {less:+.0%}" for kind, (more, less) in gains.items())
        print(f"{way} against the better of OpenCV's two, PSNR and perceptual distance: {told}", flush=True)


def gain(lines: list[Line], kind: str, way: str) -> tuple[float, float]:
    """By how much a way is better than OpenCV: PSNR in dB, and the perceptual distance in parts of OpenCV's, below 0
    where it is less; each against the better of the two."""
    found = {line.way: line for line in lines if line.kind == kind}
    others = [found["Telea"], found["Navier-Stokes"]]
    least = min(one.perceptual for one in others)
    return found[way].psnr - max(one.psnr for one in others), found[way].perceptual / least - 1


if __name__ == "__main__":
    main()
