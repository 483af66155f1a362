"""A picture of the album's faces, read from their photographs."""

import numpy as np
import pytest
from PIL import Image

from limner.album.sheet import COLUMNS, LABEL, SIDE, face_picture, save_sheet
from limner.errors import LimnerError

from .conftest import photos_in


def test_faces_with_their_numbers(indexer, folder, album, tmp_path):
    indexer.run(photos_in(folder), [folder])
    faces = album.faces()
    save_sheet(tmp_path / "faces.png", album, [*faces, *faces], list(range(12)))
    drawn = np.asarray(Image.open(tmp_path / "faces.png"))
    assert drawn.shape == (2 * (SIDE + LABEL), COLUMNS * SIDE, 3)
    np.testing.assert_array_equal(drawn[:SIDE, :SIDE], face_picture(album, faces[0]))
    assert drawn[SIDE : SIDE + LABEL, :SIDE].min() < 100, "a number"


def test_one_that_is_gone_is_grey(indexer, folder, album):
    indexer.run(photos_in(folder), [folder])
    (folder / "p0_0.jpg").unlink()
    assert (face_picture(album, album.faces()[0]) == 128).all()


def test_no_face(album, tmp_path):
    with pytest.raises(LimnerError, match="There is no face to draw"):
        save_sheet(tmp_path / "faces.png", album, [], [])
