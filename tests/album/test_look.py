"""What is seen of a photograph, here or ahead."""

import numpy as np

from limner.album.look import Ahead, Look, Looker
from limner.faces.placing import AlignedCrop

from .conftest import Patterns, save


def test_a_photo_that_cannot_be_looked_at_has_a_problem(tmp_path):
    (tmp_path / "torn.jpg").write_bytes(b"\xff\xd8 no")
    look = Looker(Patterns(), AlignedCrop())
    assert "torn.jpg is not a picture" in (look(tmp_path / "torn.jpg").problem or "")
    seen = look(save(tmp_path, 1))
    assert seen.problem is None and len(seen.faces) == 1
    assert seen.vectors.shape == (1, Patterns().width) and min(seen.width, seen.height) > 0


def test_looks_that_were_taken_ahead_are_found_by_their_places():
    looks = [(1, Look(width=10)), (4, Look(width=40)), (5, Look(width=50))]
    ahead = Ahead(iter(looks))
    assert ahead.of(0) is None
    assert [(ahead.of(number) or Look()).width for number in (1, 2, 5, 6)] == [10, 0, 50, 0]


def test_an_empty_look_has_no_vector():
    assert Look().vectors.shape == (0, 0) and Look().vectors.dtype == np.float32
