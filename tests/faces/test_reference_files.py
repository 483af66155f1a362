import pytest

from limner.errors import LimnerError
from limner.faces.reference_files import reference_files


def test_files_and_folders_each_once(tmp_path):
    for name in ("b.png", "a.jpg", ".hidden.png", "notes.txt"):
        (tmp_path / name).touch()
    files = [tmp_path / "a.jpg", tmp_path / "b.png"]
    assert reference_files([tmp_path]) == files and reference_files([files[1], tmp_path]) == files[::-1]


def test_what_is_not_there(tmp_path):
    with pytest.raises(LimnerError, match=r"There is no reference .*gone: check the path"):
        reference_files([tmp_path / "gone"])
    with pytest.raises(LimnerError, match=r"holds no photograph: name another"):
        reference_files([tmp_path])
