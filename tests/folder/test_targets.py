"""Where results go, and what is told before any net runs."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner.errors import LimnerError
from limner.folder.find import find_photos
from limner.folder.targets import outputs_for, targets_of


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 8, 3), 128, np.uint8)).save(path, "JPEG")
    return path


def test_names_of_results(tmp_path):
    assert outputs_for(Path("x/a.jpg"), tmp_path) == (tmp_path / "x/a.jpg",)
    assert outputs_for(Path("a.jpg"), tmp_path / "b.png") == (tmp_path / "b.png",)
    assert [path.name for path in outputs_for(Path("a.jpg"), tmp_path, 2)] == ["a_1.jpg", "a_2.jpg"]
    assert outputs_for(Path("a.jpg"), tmp_path, suffix="_restored") == (tmp_path / "a_restored.jpg",)
    names = [path.name for path in outputs_for(Path("St. Petersburg 1912"), tmp_path, 2)]
    assert names == ["St. Petersburg 1912_1", "St. Petersburg 1912_2"]
    (tmp_path / "folder.png").mkdir()
    assert outputs_for(Path("a.jpg"), tmp_path / "folder.png") == (tmp_path / "folder.png" / "a.jpg",)


def test_two_photos_never_share_a_result(tmp_path):
    found = find_photos([picture(tmp_path / "x" / "a.png"), picture(tmp_path / "y" / "a.png")])
    with pytest.raises(LimnerError, match=r"would both become .*a.png: give a folder for each"):
        targets_of(found, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_no_result_replaces_a_photo(tmp_path):
    album = tmp_path / "a"
    picture(album / "1.jpg")
    for out in (album, album / ".." / "a"):
        with pytest.raises(
            LimnerError, match=r"replace the photo itself.* choose another folder .* --suffix _restored"
        ):
            targets_of(find_photos([album]), out)
    other = picture(tmp_path / "b" / "1.jpg")
    with pytest.raises(LimnerError, match=rf"The result of {other} would replace the photo .*a/1\.jpg"):
        targets_of(find_photos([other, album]), album)


def test_a_suffix_keeps_results_beside_the_photos(tmp_path):
    for name in ("1.jpg", "1_restored.jpg", "2.jpg"):
        picture(tmp_path / name)
    found = find_photos([tmp_path])
    targets = targets_of(found, tmp_path, suffix="_restored")
    assert [target.outputs[0].name for target in targets] == ["1_restored.jpg", "2_restored.jpg"]
    assert found.passed_over == ["1 files bear the name of another's result: left alone."]


@pytest.mark.parametrize("name", ["result.psd", "x.gif", "deep/result.xyz"])
def test_an_unknown_suffix_is_no_folder(tmp_path, name):
    found = find_photos([picture(tmp_path / "a.jpg")])
    with pytest.raises(LimnerError, match=rf"{name} is no picture that limner writes .* make the folder first"):
        targets_of(found, tmp_path / name)
    (tmp_path / name).mkdir(parents=True)
    assert targets_of(found, tmp_path / name)[0].outputs == (tmp_path / name / "a.jpg",)


@pytest.mark.parametrize("name", ["St. Petersburg 1912", "2024.05", "out"])
def test_a_dot_amid_words_makes_no_suffix(tmp_path, name):
    photo = picture(tmp_path / "oma.1912")
    assert targets_of(find_photos([photo]), tmp_path / name)[0].outputs == (tmp_path / name / "oma.1912",)


def test_a_photo_of_an_unknown_suffix_needs_a_name(tmp_path):
    with pytest.raises(LimnerError, match=r"out/a\.xyz can't be written: limner writes"):
        targets_of(find_photos([picture(tmp_path / "a.xyz")]), tmp_path / "out")


def test_a_folder_that_cannot_be_is_told(tmp_path):
    found = find_photos([picture(tmp_path / "a.jpg")])
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LimnerError, match=r"deep can't be written: .*file is a file, so choose another --output"):
        targets_of(found, tmp_path / "file" / "deep")
