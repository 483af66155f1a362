"""Which files are moving pictures."""

import pytest
from PIL import Image

from limner.video.suffixes import is_clip

from .clips import write


@pytest.mark.parametrize("name", ["a.mp4", "A.MKV", "a.mov", "a.avi", "a.webm"])
def test_suffixes_tell_without_a_file(tmp_path, name):
    assert is_clip(tmp_path / name)


@pytest.mark.parametrize("name", ["a.jpg", "a.heic", "a.txt", "a"])
def test_what_is_no_clip(tmp_path, name):
    (tmp_path / name).write_bytes(b"\0\0\0\x18ftypheic" if name == "a.heic" else b"nothing of the kind")
    assert not is_clip(tmp_path / name)
    assert not is_clip(tmp_path)


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_contents_tell_where_the_suffix_does_not(tmp_path, suffix):
    path = write(tmp_path / f"a{suffix}", codec="mpeg4", sound=None)
    assert is_clip(path.rename(tmp_path / "clip"))
    assert not is_clip(tmp_path / "missing")


def test_a_photograph_by_any_name_is_none(tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    assert not is_clip((tmp_path / "a.png").rename(tmp_path / "a.data"))
