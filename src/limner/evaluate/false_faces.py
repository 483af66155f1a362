"""How often the finder sees a face where there is none.

    python -m limner.evaluate.false_faces --photos PHOTOS [--count 100] [--nofaces NOFACES]

Crops of many sizes are cut from photographs of people, beside every face, and from the pictures that scikit-image
ships, most of which show nobody. Whole pictures of nobody are those of scikit-image and, of a folder of photographs
without a face, the third that nothing was trained on (`limner.data.nofaces`).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from limner.data.faces import read_picture
from limner.data.nofaces import photographs_of_nobody
from limner.errors import LimnerError
from limner.extras import needed
from limner.faces.find import Face, find_faces
from limner.folder.find import find_photos
from limner.photo.photo import Photo

SIDES = 64, 400  # smallest and largest side of a crop in pixels
SAFE = 1.5  # a crop keeps out of the box of a face made so many times larger
NOBODY = ("brick", "coffee", "coins", "grass", "gravel", "rocket", "page", "text", "moon", "clock", "chelsea")
"""Pictures of scikit-image that lie in its wheel."""


def crops(
    photos: Mapping[str, np.ndarray], faces: Mapping[str, list[Face]], count: int, seed: int = 0
) -> list[tuple[str, np.ndarray]]:
    """Crops without a face, (name, (S, S, 3) uint8) each; every photograph gives about as many.

    Args:
        photos: by name, (H, W, 3) uint8.
        faces: of the same.
        count: how many crops.
        seed: of places and sizes.

    Raises:
        LimnerError: no photograph has room for one.
    """
    rng = np.random.default_rng(seed)
    names, made = list(photos), []
    for _ in range(100 * count):
        if len(made) == count:
            return made
        name = names[int(rng.integers(len(names)))]
        photo = photos[name]
        side = int(np.exp(rng.uniform(*np.log(SIDES))))
        if side > min(photo.shape[:2]):
            continue
        y, x = (int(rng.integers(0, span - side + 1)) for span in photo.shape[:2])
        if not any(_touches(face, x, y, side) for face in faces[name]):
            made.append((name, np.ascontiguousarray(photo[y : y + side, x : x + side])))
    raise LimnerError(f"{count} crops without a face can't be cut from these {len(photos)} photographs: give others.")


def nobody() -> dict[str, np.ndarray]:
    """Pictures without a person from scikit-image, (H, W, 3) uint8 by name.

    Raises:
        LimnerError: if scikit-image is missing.
    """
    with needed("scikit-image", "This measurement"):
        from skimage import data

    pictures = {name: np.asarray(getattr(data, name)()) for name in NOBODY}
    return {name: cv2.cvtColor(one, cv2.COLOR_GRAY2RGB) if one.ndim == 2 else one for name, one in pictures.items()}


def _touches(face: Face, x: int, y: int, side: int) -> bool:
    x0, y0, x1, y1 = face.box
    more = (SAFE - 1) / 2 * (x1 - x0)
    return x < x1 + more and x + side > x0 - more and y < y1 + more and y + side > y0 - more


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m limner.evaluate.false_faces", description=__doc__)
    parser.add_argument("--photos", type=Path, required=True, help="folder of photographs of people")
    parser.add_argument("--count", type=int, default=100, help="crops, half of them from these photographs")
    parser.add_argument("--nofaces", type=Path, help="folder of photographs without a face, with its index.csv")
    arguments = parser.parse_args()
    inhabited = {place.as_posix(): Photo.open(path).srgb() for path, place in find_photos([arguments.photos]).photos}
    empty, count = nobody(), arguments.count // 2
    faces = {name: find_faces(photo) for name, photo in inhabited.items()}  # whole, they are easy
    for title, cut in (
        ("photographs of people", crops(inhabited, faces, count)),
        ("pictures of nobody", crops(empty, {name: [] for name in empty}, count)),
    ):
        wrong = [name for name, crop in cut if find_faces(crop)]
        print(f"{title}: a face in {len(wrong)} of {count} crops without one", *wrong)
    strangers = photographs_of_nobody(arguments.nofaces, measured=True) if arguments.nofaces else []
    for title, pictures in (
        ("scikit-image", empty.items()),
        ("photographs kept from training", ((path.name, read_picture(path)) for path in strangers)),
    ):
        verdicts = {name: bool(find_faces(picture)) for name, picture in pictures}
        wrong = [name for name, found in verdicts.items() if found]
        print(f"{title}: a face in {len(wrong)} of {len(verdicts)} whole pictures without one", *wrong)


if __name__ == "__main__":
    main()
