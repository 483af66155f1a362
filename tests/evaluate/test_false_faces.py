"""Crops without a face, and what the finder says to them."""

import numpy as np
import pytest

from limner.errors import LimnerError
from limner.evaluate import false_faces
from limner.evaluate.false_faces import crops, nobody
from limner.faces.find import Face
from limner.photo.write import save_png


def test_crops_keep_out_of_faces():
    photo = np.zeros((300, 300, 3), np.uint8)
    photo[100:160, 100:160] = 255
    face = Face((100, 100, 160, 160), np.zeros((5, 2), np.float32), 1.0)
    cut = crops({"one": photo}, {"one": [face]}, 30)
    assert len(cut) == 30 and all(name == "one" for name, _ in cut)
    assert all(crop.max() == 0 and 64 <= crop.shape[0] == crop.shape[1] for _, crop in cut)
    again = crops({"one": photo}, {"one": [face]}, 30)
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(cut, again, strict=True))


def test_no_room_is_told():
    photo = np.zeros((100, 100, 3), np.uint8)
    face = Face((10, 10, 90, 90), np.zeros((5, 2), np.float32), 1.0)
    with pytest.raises(LimnerError, match="5 crops without a face can't be cut from these 1 photographs"):
        crops({"one": photo}, {"one": [face]}, 5)


def test_what_the_command_says(tmp_path, monkeypatch, capsys):
    save_png(tmp_path / "grey.png", np.full((200, 200, 3), 90, np.uint8))
    monkeypatch.setattr(false_faces, "find_faces", lambda picture: [] if picture.mean() == 90 else [0])
    monkeypatch.setattr("sys.argv", ["false_faces", "--photos", str(tmp_path), "--count", "8"])
    false_faces.main()
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "photographs of people: a face in 0 of 4 crops without one"
    assert told[1].startswith("pictures of nobody: a face in 4 of 4 crops without one ")


def test_pictures_of_nobody_are_colour_pictures():
    assert all(one.ndim == 3 and one.shape[2] == 3 and one.dtype == np.uint8 for one in nobody().values())
