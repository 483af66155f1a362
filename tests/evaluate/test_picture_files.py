"""Pictures of a folder by name."""

import numpy as np
import pytest
from PIL import Image

from limner.errors import LimnerError
from limner.evaluate.picture_files import files_of, picture_of, sides
from limner.photo.write import save_png


def test_pictures_alone_and_sorted(tmp_path):
    for name in ("b.png", "a.PNG", ".hidden.png"):
        save_png(tmp_path / name, np.full((4, 6, 3), 9, np.uint8))
    (tmp_path / "notes.txt").write_text("no picture")
    assert list(files_of(tmp_path)) == ["a", "b"]
    picture = picture_of(tmp_path / "b.png")
    assert sides(picture) == "6 x 4" and (picture == 9).all()


def test_what_can_not_be_read_is_told(tmp_path):
    with pytest.raises(LimnerError, match="There is no folder"):
        files_of(tmp_path / "none")
    with pytest.raises(LimnerError, match="holds no picture"):
        files_of(tmp_path)
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(LimnerError):
        picture_of(tmp_path / "a.png")


def test_numbers_that_are_none_are_told(tmp_path):
    Image.fromarray(np.full((8, 8), np.nan, np.float32)).save(tmp_path / "nan.tiff")
    with pytest.raises(LimnerError, match=r"nan\.tiff holds 32-bit float pixels, which limner doesn't read"):
        picture_of(tmp_path / "nan.tiff")
