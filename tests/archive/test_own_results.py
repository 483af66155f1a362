"""Results of limner among photographs."""

from pathlib import Path

import numpy as np
from PIL import Image

from limner.archive.own_results import OwnResults
from limner.photo.photo import Photo
from limner.photo.provenance import Provenance


def picture(path: Path, value: int = 128) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 8, 3), value, np.uint8)).save(path)
    return path


def test_results_and_copies_beside_them_are_no_photographs(tmp_path):
    face, wall = picture(tmp_path / "face.png"), picture(tmp_path / "wall.png", 7)
    made, copy = tmp_path / "before" / "face.png", picture(tmp_path / "before" / "wall.png", 7)
    Photo(np.full((8, 8, 3), 9, np.uint8), "PNG").save(made, provenance=Provenance("difface", "mini", 0, 1, "0.1.0"))
    own = OwnResults([made, copy, face, wall])
    assert own.told(face) is None and own.told(wall) is None
    assert own.told(made) == f"{made}: made by limner earlier, so left alone."
    assert own.told(copy) == f"{copy}: made by limner earlier, so left alone."


def test_the_same_name_and_bytes_elsewhere_is_a_photograph(tmp_path):
    photos = [picture(tmp_path / folder / "a.png") for folder in ("one", "two")]
    own = OwnResults(photos)
    assert [own.told(photo) for photo in photos] == [None, None]
