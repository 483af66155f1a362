"""What is marked in a photograph: strokes are exact in its own size, and lie over what was found."""

import cv2
import numpy as np
import pytest

from limner.errors import LimnerError
from limner.page import marks
from limner.page.marks import Marks, Stroke, as_png, in_red


def stroke(*points: tuple[float, float], width: float = 0.1, rub: bool = False, at: float = 0) -> Stroke:
    return Stroke.of({"points": [list(one) for one in points], "width": width, "rub": rub, "at": at})


@pytest.mark.parametrize("size", [(100, 60), (4000, 2400)])
def test_a_stroke_is_drawn_in_the_photographs_own_size(size):
    """However small the page shows it: from a quarter to the middle of the width, a tenth of the longer side broad."""
    width, height = size
    one = Marks()
    one.add(stroke((0.25, 0.5), (0.5, 0.5)))
    mask = one.mask(size)
    assert mask.shape == (height, width) and set(np.unique(mask)) == {0, 255}
    across = np.flatnonzero(mask[:, round(0.4 * width)])
    assert abs(len(across) - 0.1 * width) <= 2 and abs(across.mean() - height / 2) <= 1
    along = np.flatnonzero(mask[height // 2])
    assert abs(along[0] - 0.2 * width) <= 2 and abs(along[-1] - 0.55 * width) <= 2, "its ends are round"
    one.measure(size)
    assert one.share == (mask > 0).mean()


def test_a_touch_is_a_dot_and_the_edge_of_the_photo_is_no_limit():
    one = Marks()
    one.add(stroke((0.5, 0.5), width=0.2))
    one.add(stroke((-0.5, 0.0), (0.05, 0.0), width=0.02, at=1))
    mask = one.mask((100, 100))
    assert abs((mask[30:] > 0).sum() - np.pi * 10**2) < 40 and mask[0, 0] == 255


def test_strokes_count_in_the_order_in_which_they_were_drawn():
    """What is sent may overtake: painted, rubbed out, and painted again."""
    first, second = (stroke((0.5, 0.5), width=0.2, rub=rub, at=at) for rub, at in ((False, 1), (True, 2)))
    third = stroke((0.5, 0.5), width=0.02, at=3)
    one = Marks()
    for late in (third, first, second):
        one.add(late)
    assert one.strokes == [first, second, third]
    assert 0 < (one.mask((100, 100)) > 0).sum() < 10
    one.take_back()
    assert one.strokes == [first, second] and not one.mask((100, 100)).any() and one.any
    one.clear()
    assert not one.any and one.share == 0
    one.take_back()


def test_what_was_painted_stays_over_what_is_found_and_not_over_what_is_given(tmp_path):
    one, found = Marks(), np.zeros((50, 80), np.uint8)
    found[10:20] = 255
    one.add(stroke((0.0, 0.3), (1.0, 0.3), width=0.1, rub=True))
    one.lay(found, tmp_path, given=False)
    assert one.any and not one.mask((80, 50))[11:19].any() and not one.given
    found[:] = 0
    found[30] = 255
    one.lay(found, tmp_path, given=True)
    assert one.given and one.strokes == [] and one.share == 1 / 50
    np.testing.assert_array_equal(one.mask((80, 50)), found)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"points": "here"}, "can't be read"),
        ({"points": [[0.1, 0.2], [0.3]]}, "can't be read"),
        ({"width": None}, "can't be read"),
        ({"at": "soon"}, "can't be read"),
        ({"points": []}, "too long or too wide"),
        ({"points": [[float("nan"), 0.2]]}, "too long or too wide"),
        ({"points": [[0.1, 0.2]] * 20_001}, "too long or too wide"),
        ({"width": 0.3}, "too long or too wide"),
        ({"width": float("nan")}, "too long or too wide"),
        ({"width": 0}, "too long or too wide"),
    ],
)
def test_what_is_no_stroke_is_refused(changed, sentence):
    with pytest.raises(LimnerError, match=f"^This stroke of the brush .*{sentence}"):
        Stroke.of({"points": [[0.1, 0.2]], "width": 0.1, "rub": False, "at": 1} | changed)
    with pytest.raises(LimnerError, match="can't be read"):
        Stroke.of({})


def test_far_away_is_no_farther_than_can_be_drawn():
    one = Marks()
    one.add(stroke((-1e300, 0.5), (1e300, 0.5)))
    assert one.mask((100, 60))[30].all()


def test_there_is_an_end_to_strokes(monkeypatch):
    monkeypatch.setattr(marks, "MOST_STROKES", 1)
    one = Marks()
    one.add(stroke((0.5, 0.5)))
    with pytest.raises(LimnerError, match="^1 strokes are as many as fit here: download the mask"):
        one.add(stroke((0.5, 0.5)))


def test_a_hair_is_seen_in_red_on_a_smaller_scale():
    mask = np.zeros((900, 1200), np.uint8)
    mask[450] = 255
    shown = in_red(mask, 120)
    assert shown.shape == (90, 120, 4) and (shown[45] == (0, 0, 224, 255)).all() and not shown[:44].any()
    assert in_red(mask, 1200).shape == (900, 1200, 4)
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(as_png(shown), np.uint8), cv2.IMREAD_UNCHANGED), shown)
