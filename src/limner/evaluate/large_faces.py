"""What the enlarger of faces gives: sharp faces of 512 px, damaged at that size, through a photograph's whole way, with
the restoration enlarged to the photograph's size by it and by cubic interpolation.

    python -m limner.evaluate.large_faces --data FACES [--split val] [--method difface] [--sheet SHEET.png]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from limner.data.faces import FaceSet, Split
from limner.data.pairs import named_generator
from limner.errors import LimnerError
from limner.evaluate.damages import damaged
from limner.evaluate.extractors import standard_extractors
from limner.evaluate.intervals import Interval, difference_interval, mean_interval
from limner.evaluate.metrics.detail import detail_by_band
from limner.evaluate.metrics.fidelity import psnr
from limner.evaluate.metrics.perceptual import efficientnet_distance
from limner.evaluate.report import contact_sheet
from limner.faces.join import Framed, Joiner, grown
from limner.nets.enlarge_face import FaceEnlarger
from limner.photo.photo import Photo
from limner.photo.write import save_png
from limner.restorer import Restorer
from limner.settings import Settings
from limner.weights.load import load_net

SIDE = 512
DAMAGES = ("ffhq-ref-severe", "ffhq-ref-moderate", "old-print")
INPUT, CUBIC, ENLARGED = "input", "cubic", "enlarger"
MIDDLE = slice(SIDE // 4, 3 * SIDE // 4)
SHOWN = 6
"""Faces of each damage on the sheet."""


class CubicJoiner(Joiner):
    """A joiner whose restorations are interpolated."""

    def grown(self, framed: Framed, restored: np.ndarray) -> np.ndarray:
        return grown(restored, framed.side)


@dataclass(frozen=True)
class Row:
    """What was measured of one way under one damage, means with their intervals.

    Attributes:
        damage, way: of which.
        figures: by name.
        beside_cubic: of PSNR, distance and identities the difference to the interpolated restorations, by name.
    """

    damage: str
    way: str
    figures: Mapping[str, float]
    beside_cubic: Mapping[str, Interval]

    def __str__(self) -> str:
        told = [f"{name} {figure:.3f}" for name, figure in self.figures.items()]
        apart = [
            f"{name} {one.value:+.3f} ({one.low:+.3f} to {one.high:+.3f})" for name, one in self.beside_cubic.items()
        ]
        return f"{self.damage}, {self.way}: {', '.join(told)}" + (f"; beside cubic {', '.join(apart)}" if apart else "")


def ways(method: str, enlarger: Path | None) -> dict[str, Restorer]:
    """The two ways, as photographs that are aligned crops go.

    Args:
        method: that restores.
        enlarger: folder of an enlarger of faces; None is the embedded one.
    """
    both = {name: Restorer(Settings(method=method, aligned=True, threads=1)) for name in (CUBIC, ENLARGED)}
    both[CUBIC].joiner = CubicJoiner(both[CUBIC].compute)
    if enlarger:
        both[ENLARGED].joiner.enlarger = both[ENLARGED].compute.place(load_net(enlarger, FaceEnlarger))
    return both


def measure(
    faces: FaceSet, restorers: Mapping[str, Restorer], shown: list[list[np.ndarray]] | None = None
) -> Iterator[Row]:
    """A row for each damage and way.

    Args:
        faces: of `SIDE` px or more.
        restorers: as `ways` gives them.
        shown: takes the middles of some faces' pictures: input, the two ways, truth.
    """
    recognisers = [one for one in standard_extractors() if one.kind == "recogniser"]
    for damage in DAMAGES:
        found: dict[str, dict[str, list[float]]] = {INPUT: {}, **{name: {} for name in restorers}}
        for place in range(len(faces)):
            given, truth = damaged(faces.read(place, SIDE), damage, named_generator(faces.files[place], damage))
            made = {INPUT: given} | {
                name: one.restore(Photo(given, "PNG")).photo.srgb() for name, one in restorers.items()
            }
            for name, picture in made.items():
                for figure, value in measured(picture, truth).items():
                    found[name].setdefault(figure, []).append(value)
                for one in recognisers:
                    ours, theirs = one.of([picture, truth])
                    found[name].setdefault(one.name, []).append(float(ours @ theirs))
            if shown is not None and place < SHOWN:
                shown.append(
                    [one[SIDE // 4 : 3 * SIDE // 4, SIDE // 4 : 3 * SIDE // 4] for one in (*made.values(), truth)]
                )
        for name, figures in found.items():
            means = {figure: mean_interval(np.array(values)).value for figure, values in figures.items()}
            apart = {
                figure: difference_interval(np.array(values), np.array(found[CUBIC][figure]))
                for figure, values in figures.items()
                if name == ENLARGED and not figure.startswith("octave")
            }
            yield Row(damage, name, means, apart)


def measured(picture: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """PSNR in dB, the fullness of the three finest octaves, and EfficientNet's distance, of one face."""
    bands = detail_by_band(picture, truth)[:3]
    octaves = {f"octave {number}": band for number, band in enumerate(bands, 1)}
    return {"psnr": psnr(picture, truth), **octaves, "distance": 1000 * efficientnet_distance(picture, truth)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of aligned faces with its two tables")
    parser.add_argument("--split", choices=get_args(Split), default="test")
    parser.add_argument("--limit", type=int, default=48, help="faces, evenly spread")
    parser.add_argument("--method", default="difface", help="that restores")
    parser.add_argument("--enlarger", type=Path, help="folder of an enlarger of faces; the embedded one by default")
    parser.add_argument("--sheet", type=Path, help="save the middles of some faces here (PNG)")
    arguments = parser.parse_args()
    faces = FaceSet.open(arguments.data, arguments.split).large(SIDE).spread(arguments.limit)
    shown: list[list[np.ndarray]] = []
    for row in measure(faces, ways(arguments.method, arguments.enlarger), shown):
        print(row, flush=True)
    if arguments.sheet:
        save_png(arguments.sheet, contact_sheet(shown, [INPUT, CUBIC, ENLARGED, "truth"]))


if __name__ == "__main__":
    try:
        main()
    except LimnerError as error:
        sys.exit(f"limner: {error}")
