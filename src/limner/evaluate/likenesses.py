"""What the finder does with faces that aren't photographed people: animals, paintings, engravings, reliefs, drawings.

    python -m limner.evaluate.likenesses --data SHARED

Faces in paintings, engravings and statues may be restored, those of animals not. The pictures are few: those that lie
in the folder of photographs and in that of pictures without a face, and scikit-image's own. There is no doll among
them, and of statues only the heads on coins.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from limner.errors import LimnerError
from limner.evaluate.false_faces import nobody
from limner.faces.find import Face, find_faces
from limner.photo.photo import Photo

OURS = "scikit-image"
KINDS = {
    "animals": (
        f"{OURS}/chelsea",
        *("nofaces/galaxyeu_004.jpg", "nofaces/openscapes_007.jpg", "nofaces/openscapes_020.jpg"),
        *("nofaces/solus_006.jpg", "nofaces/solus_013.jpg"),
    ),
    "paintings": ("photos/old_001658.jpg",),
    "engravings": ("photos/old_004868.jpg", "photos/old_009933.jpg"),
    "reliefs": (f"{OURS}/coins",),
    "drawings": ("nofaces/codefor_022.jpg", "nofaces/ols_003.jpg"),
}
"""Pictures of each kind: a cat, cattle, a dog afar and one asleep, a monitor lizard, an eagle; a portrait in oil; two
printed portraits; Greek coins with heads in profile; a smile on a screen, a boy on a wall, seen from behind."""


def picture(folder: Path, name: str) -> np.ndarray:
    """One of the pictures, (H, W, 3) uint8.

    Raises:
        LimnerError: the folder hasn't got it.
    """
    place, _, rest = name.partition("/")
    if place == OURS:
        return nobody()[rest]
    if not (folder / name).is_file():
        raise LimnerError(f"{folder} has no {name}: give the folder that holds `photos` and `nofaces`.")
    return Photo.open(folder / name).srgb()


def told(folder: Path, kind: str) -> str:
    """How many pictures of a kind have a face in the finder's eyes, which, how sure it is, and where: it may be beside
    the animal."""
    found = {name: find_faces(picture(folder, name)) for name in KINDS[kind]}
    seen = [f"{name} ({', '.join(_where(face) for face in faces)})" for name, faces in found.items() if faces]
    return f"{kind}: a face in {len(seen)} of {len(found)}" + (f": {'; '.join(seen)}" if seen else "")


def _where(face: Face) -> str:
    return f"{face.score:.2f}: {face.size:.0f} px from {face.box[0]:.0f}, {face.box[1]:.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m limner.evaluate.likenesses", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with `photos` and `nofaces`")
    folder = parser.parse_args().data
    for kind in KINDS:
        print(told(folder, kind), flush=True)


if __name__ == "__main__":
    main()
