"""Restored faces back in their photograph, with a joiner that says what we want to hear."""

from collections.abc import Sequence

import numpy as np
import pytest

from limner.faces.join import Joined
from limner.faces.paste import Place
from limner.faces.put_back import PutBack
from limner.faces.tone import tone
from limner.photo.photo import Photo
from limner.settings import Settings

RGB = np.random.default_rng(0).integers(60, 190, (120, 160, 3), np.uint8)
MATRIX = np.array([[1, 0, -50.0], [0, 1, -30.0]])  # a crop of 64 px at (50, 30)


class Says:
    """Stands for a `Joiner`: one grey for each sample, and a share that is made up."""

    def __init__(self, invented: float):
        self.invented = invented

    def __call__(self, part: np.ndarray, restored: Sequence[np.ndarray], place: Place) -> Joined:
        pictures = [np.full_like(part, float(one.mean())) for one in restored]
        return Joined(pictures, np.full(part.shape[:2], self.invented, np.float32))


def put_back(values: Sequence[float], invented: float = 1.0, matrix: np.ndarray = MATRIX, **settings) -> PutBack:
    wanted = Settings(samples=len(values), grain=False, **settings)
    back = PutBack(Photo(RGB, "PNG"), RGB, wanted, Says(invented))
    back.face([np.full((64, 64, 3), v, np.float32) for v in values], matrix, tone(RGB), range(len(values)))
    return back


def test_every_sample_has_its_own_picture_and_the_photo_keeps_its_pixels():
    before = RGB.copy()
    back = put_back([0.2, 0.8])
    assert [int(canvas[62, 82, 0]) for canvas in back.canvases] == [51, 204]
    for canvas in back.canvases:
        outside = np.ones(RGB.shape[:2], bool)
        outside[30:95, 50:115] = False
        np.testing.assert_array_equal(canvas[outside], RGB[outside])
    np.testing.assert_array_equal(RGB, before)


@pytest.mark.parametrize("invented", [0.0, 0.25, 1.0])
def test_what_is_made_up_is_counted_over_what_was_changed(invented):
    back = put_back([0.5], invented)
    assert back.share_invented == pytest.approx(invented)
    assert back.invented[62, 82] == round(255 * invented) and back.invented[0, 0] == 0


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_a_strength_is_the_share_of_the_restoration(strength):
    back = put_back([0.5], strength=strength, aligned=True)
    there = (slice(40, 80), slice(60, 100))
    blend = (1 - strength) * RGB[there].astype(float) + strength * 127.5
    assert np.abs(back.canvases[0][there] - blend).max() <= 1
    assert back.share_invented == pytest.approx(strength)


@pytest.mark.parametrize("strength", [0.0, 1.0, "auto"])
def test_holes_are_made_up_whatever_a_face_makes_of_them(strength):
    holes = np.zeros(RGB.shape[:2], bool)
    holes[:, 82:] = True  # half of the face
    wanted = Settings(grain=False, strength=strength, aligned=strength != "auto")
    back = PutBack(Photo(RGB, "PNG"), RGB, wanted, Says(0.0), filled=holes)
    back.face([np.full((64, 64, 3), 0.5, np.float32)], MATRIX, tone(RGB), [0])
    assert (back.invented[holes] == 255).all()
    assert back.share_invented == pytest.approx(1.0 if strength == 1.0 else 0.5, abs=0.02)


def test_a_face_outside_the_photo_changes_nothing():
    back = put_back([0.5], matrix=np.array([[1, 0, -500.0], [0, 1, -500.0]]))
    assert back.canvases[0] is back.photo.pixels and back.share_invented == 0
