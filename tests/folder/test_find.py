"""Which files of an album are its photographs."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner.errors import LimnerError
from limner.folder.find import find_photos, provenance_of
from limner.photo.photo import Photo
from limner.photo.provenance import Provenance


def picture(path: Path, value: int = 128) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 8, 3), value, np.uint8)).save(path)
    return path


def made(path: Path) -> Path:
    """A result of limner."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Photo(np.full((8, 8, 3), 9, np.uint8), "PNG").save(path, provenance=Provenance("difface", "mini", 0, 1, "0.1.0"))
    return path


def places(*sources: Path, results: tuple[Path, ...] = ()) -> list[str]:
    return [place.as_posix() for _, place in find_photos(sources, results).photos]


def test_finds_photographs_to_the_bottom(tmp_path):
    picture(tmp_path / "a.JPG")
    picture(tmp_path / "deep" / "er" / "b.png")
    (tmp_path / "notes.txt").write_text("x")
    assert places(tmp_path) == ["a.JPG", "deep/er/b.png"]
    assert find_photos([tmp_path / "a.JPG"]).photos == [(tmp_path / "a.JPG", Path("a.JPG"))]


def test_results_inside_the_source_are_no_photographs(tmp_path):
    picture(tmp_path / "a.png")
    for folder in ("out", "maps"):
        picture(tmp_path / folder / "a.png")
    assert places(tmp_path, results=(tmp_path / "out", tmp_path / "maps")) == ["a.png"]
    assert len(places(tmp_path, results=(tmp_path,))) == 3, "in place: refused where the targets are known"
    assert places(tmp_path / "out", results=(tmp_path,)) == ["a.png"], "the results lie above the source"


def test_hidden_files_and_what_systems_put_there_are_no_photographs(tmp_path):
    picture(tmp_path / "a.jpg")
    for name in ("._a.jpg", ".thumbnails/a.jpg", "@eaDir/a.jpg/x.jpg", ".picasaoriginals/a.jpg", "__MACOSX/a.jpg"):
        picture(tmp_path / name)
    found = find_photos([tmp_path])
    assert [place.name for _, place in found.photos] == ["a.jpg"] and found.passed_over == []
    assert places(tmp_path / ".thumbnails") == ["a.jpg"], "a folder that is named is searched"
    assert places(tmp_path / "._a.jpg") == ["._a.jpg"], "a file that is named is taken"


def test_linked_folders_and_other_formats_are_named_once(tmp_path):
    album, other = tmp_path / "album", tmp_path / "other"
    picture(album / "a.jpg")
    picture(other / "b.jpg")
    (album / "linked").symlink_to(other)
    for name in ("1.PSD", "2.gif", "3.jp2", "4.CR2", "5.jxl"):
        (album / name).touch()
    found = find_photos([album])
    assert [place.name for _, place in found.photos] == ["a.jpg"]
    assert found.passed_over == [
        f"{album / 'linked'}: a link to another folder, name it to have its photographs, too.",
        f"{album / '1.PSD'}, {album / '2.gif'}, {album / '3.jp2'} and 2 more: of a format that limner doesn't read, "
        "convert to JPEG or PNG.",
    ]
    (album / "file.jpg").symlink_to(other / "b.jpg")
    assert places(album) == ["a.jpg", "file.jpg"]


def test_results_of_earlier_runs_are_known(tmp_path):
    picture(tmp_path / "face.png")
    picture(tmp_path / "wall.png", 7)
    made(tmp_path / "before" / "face.png")
    picture(tmp_path / "before" / "wall.png", 7)  # it has no face, so it was copied
    picture(tmp_path / "maps" / "face.png_invented.png")
    found = find_photos([tmp_path])
    assert [place.as_posix() for _, place in found.photos] == ["face.png", "wall.png"]
    (sentence,) = found.passed_over
    assert "before/face.png" in sentence and "before/wall.png" in sentence and "made by limner earlier" in sentence
    assert places(tmp_path / "before" / "face.png") == ["face.png"], "a file that is named is taken"


def test_the_same_name_and_bytes_elsewhere_is_a_photograph(tmp_path):
    for folder in ("one", "two"):
        picture(tmp_path / folder / "a.png")
    assert places(tmp_path) == ["one/a.png", "two/a.png"]


def test_a_photograph_that_is_given_twice_is_one(tmp_path):
    first = picture(tmp_path / "a.png")
    (tmp_path / "b.png").symlink_to(first)
    (tmp_path / "x").mkdir()
    assert places(first, first, tmp_path / "x" / ".." / "a.png", tmp_path / "b.png") == ["a.png"]
    assert places(tmp_path, first) == ["a.png"]


def test_broken_files_say_nothing_of_themselves(tmp_path):
    path = picture(tmp_path / "a.png")
    path.write_bytes(path.read_bytes()[:40])
    os.mkfifo(tmp_path / "pipe.png")
    assert provenance_of(path) is None and provenance_of(tmp_path / "pipe.png") is None
    assert places(tmp_path) == ["a.png"], "reading it says what is wrong with it; a pipe is no photograph"


def test_messages(tmp_path):
    with pytest.raises(LimnerError, match=r"There is no file or folder .*gone: check the path"):
        find_photos([tmp_path / "gone"])
    with pytest.raises(LimnerError, match=r"holds no photograph \(\.avif, \.bmp"):
        find_photos([tmp_path])
    made(tmp_path / "a.png")
    with pytest.raises(LimnerError, match=r"holds no photograph but what limner made \("):
        find_photos([tmp_path])
