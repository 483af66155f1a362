"""Folders of pictures are paired by name, and what doesn't fit is told."""

import numpy as np
import pytest

from limner.errors import LimnerError
from limner.evaluate.picture_sets import PictureSet
from limner.photo.write import save_png


def folder(path, names, side=16, value=100):
    path.mkdir()
    for name in names:
        save_png(path / f"{name}.png", np.full((side, side, 3), value, np.uint8))
    return path


def test_pictures_are_paired_by_name_in_order(tmp_path):
    restored, truth = folder(tmp_path / "r", ["b", "a"]), folder(tmp_path / "t", ["a", "b", "c"], value=90)
    inputs = folder(tmp_path / "i", ["a", "b"], value=80)
    pictures = PictureSet.open(restored, truth, inputs)
    assert pictures.names == ["a", "b"]
    seen = list(pictures.each(frozenset({"a"})))
    assert [one.name for one in seen] == ["b"]
    assert [int(one.max()) for one in (seen[0].picture, seen[0].truth, seen[0].input)] == [100, 90, 80]


def test_a_grey_picture_is_held_against_a_coloured_one(tmp_path):
    from PIL import Image

    restored, truth = tmp_path / "r", folder(tmp_path / "t", ["a"])
    restored.mkdir()
    Image.new("L", (16, 16), 100).save(restored / "a.png")
    (seen,) = PictureSet.open(restored, truth).each()
    assert seen.picture.shape == seen.truth.shape == (16, 16, 3)
    assert (seen.picture == seen.truth).all()


@pytest.mark.parametrize(
    ("names", "message"),
    [([], r"t holds no picture"), (["x"], r"r/a\.png has no picture of its name in .*t: name them alike")],
)
def test_missing_truths_are_named(tmp_path, names, message):
    with pytest.raises(LimnerError, match=message):
        PictureSet.open(folder(tmp_path / "r", ["a"]), folder(tmp_path / "t", names))


def test_no_folder_two_of_one_name_and_other_sizes(tmp_path):
    restored, truth = folder(tmp_path / "r", ["a"]), folder(tmp_path / "t", ["a"], side=8)
    with pytest.raises(LimnerError, match="There is no folder .*nowhere"):
        PictureSet.open(tmp_path / "nowhere", truth)
    with pytest.raises(LimnerError, match=r"has 16 x 16 px, its truth .*a\.png 8 x 8: measure pictures of the"):
        list(PictureSet.open(restored, truth).each())
    (restored / "a.jpg").write_bytes((restored / "a.png").read_bytes())
    with pytest.raises(LimnerError, match="have one name: measure one of them"):
        PictureSet.open(restored, truth)
