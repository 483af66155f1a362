"""The demo of `make demo`: restores a photograph offline with the embedded weights and shows before and after.

    python examples/demo.py [PHOTO]

Without an argument it takes the head of scikit-image's public-domain portrait of the astronaut Eileen Collins (NASA)
and spoils it first, so that the truth is known; a photo of your own is restored as it is. Everything lands in demo/.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from limner import LimnerError, Photo, Restorer
from limner.degrade.degrade import degrade
from limner.evaluate.report import save_sheet

OUT = Path("demo")


def main(arguments: list[str]) -> None:
    OUT.mkdir(exist_ok=True)
    truth = None
    if arguments:
        source = Path(arguments[0])
    else:
        from skimage.data import astronaut

        truth, source = np.ascontiguousarray(astronaut()[:288, 72:360]), OUT / "astronaut_spoilt.png"
        Image.fromarray(degrade(truth, "gfpgan", np.random.default_rng(5))).save(source)
    photo = Photo.open(source)
    done = Restorer().restore(photo)
    restored = OUT / f"{source.stem}_restored.png"
    done.photos[0].save(restored, provenance=done.provenance)
    columns = [photo.srgb(), done.photos[0].srgb()] + ([truth] if truth is not None else [])
    save_sheet(OUT / "before_after.png", [columns], ["before", "after", "truth"][: len(columns)])
    print(f"{len(done.faces)} face(s) restored in {done.seconds:.1f} s: {restored}, {OUT / 'before_after.png'}")
    for note in done.notes:
        print(f"Note: {note}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except LimnerError as error:
        sys.exit(f"limner: {error}")
