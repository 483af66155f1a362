"""Whose photographs are whose."""

import pytest

from limner.errors import LimnerError
from limner.evaluate.reference_folder import ReferenceFolder


def touched(folder, *files):
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(b"")
    return ReferenceFolder.open(folder)


def names(found):
    return [path.name for path in found]


def test_a_sub_folder_of_the_pictures_name_comes_first(tmp_path):
    folder = touched(tmp_path, "ann/1.png", "ann/2.jpg", "ann/notes.txt", "ann_3.png")
    assert names(folder.of("ann")) == ["1.png", "2.jpg"]


def test_names_that_begin_with_the_pictures(tmp_path):
    folder = touched(tmp_path, "ann_1.png", "ann-2.png", "anna_1.png", "ann.png")
    assert names(folder.of("ann")) == ["ann-2.png", "ann_1.png"]


def test_photographs_of_a_person_are_numbered(tmp_path):
    folder = touched(tmp_path, "ann_b_1.png", "ann_b_2.png", "ann_c_1.png", "bob/bob_1.png", "bob/bob_2.png")
    assert names(folder.of("ann_b_1")) == ["ann_b_2.png"], "nor itself, nor another ann"
    assert names(folder.of("bob_2")) == ["bob_1.png"]
    assert folder.of_all(["bob_1"])["bob_1"][0].name == "bob_2.png"


def test_none_is_told(tmp_path):
    with pytest.raises(LimnerError, match="ann_1 has no other photograph of the person .* make a sub-folder ann_1"):
        touched(tmp_path, "ann_1.png").of("ann_1")
    with pytest.raises(LimnerError, match="There is no folder"):
        ReferenceFolder.open(tmp_path / "none")
