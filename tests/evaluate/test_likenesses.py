"""What the finder does with animals, paintings and reliefs."""

import numpy as np
import pytest

from limner import LimnerError
from limner.evaluate import likenesses
from limner.evaluate.likenesses import KINDS, picture, told
from limner.faces.find import Face
from limner.photo.write import save_png

FACE = Face((0.0, 0.0, 30.0, 30.0), np.zeros((5, 2), np.float32), 0.987)


def test_every_kind_is_told(tmp_path, monkeypatch, capsys):
    for name in (name for names in KINDS.values() for name in names):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        save_png(tmp_path / name, np.full((40, 50, 3), 200 if "photos" in name else 90, np.uint8))
    monkeypatch.setattr(likenesses, "find_faces", lambda rgb: [FACE, FACE] if rgb.mean() == 200 else [])
    monkeypatch.setattr("sys.argv", ["likenesses", "--data", str(tmp_path)])
    likenesses.main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(KINDS) and lines[0] == "animals: a face in 0 of 6"
    where = "0.99: 30 px from 0, 0"
    assert lines[1] == f"paintings: a face in 1 of 1: photos/old_001658.jpg ({where}, {where})"


def test_scikit_image_s_pictures_need_no_folder(tmp_path):
    assert picture(tmp_path, "scikit-image/chelsea").shape == (300, 451, 3)


def test_a_missing_picture_is_told(tmp_path):
    with pytest.raises(LimnerError, match=r"has no photos/old_001658.jpg: give the folder that holds `photos` and"):
        told(tmp_path, "paintings")


def test_all_pictures_are_there(collection):
    assert all(picture(collection, name).shape[2] == 3 for names in KINDS.values() for name in names)
