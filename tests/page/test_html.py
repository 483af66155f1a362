"""Parts of the page: names of photographs can't be more than names, and faces stay within the picture."""

from pathlib import Path

import numpy as np
import pytest

from limner.faces.seen import SeenFace
from limner.page import html
from limner.page.marks import Stroke
from limner.page.session import OnePhoto, Result
from limner.restoration import Restoration
from limner.settings import Settings

EVIL = '<img src=x onerror=alert(1)>".jpg'


@pytest.fixture
def one() -> OnePhoto:
    faces = [SeenFace((-10, 20, 40, 70), np.zeros((5, 2), np.float32), 1.0, n) for n in range(2)]
    done = Restoration([], faces, None, 1, np.zeros((0, 0), np.uint8))
    result = Result(Path(EVIL), done, Settings(), [0], [])
    return OnePhoto(Path(EVIL), Path(), (100, 100), faces, {1}, result=result)


def test_names_are_no_html(one):
    parts = [html.stage("a", one), html.compared("a", one, True), html.downloads("a", one, 2, "b"), html.status(EVIL)]
    one.marks.strokes.append(Stroke(np.zeros((1, 2)), 0.1, False, 0))
    parts += [html.brush("a", 0, one, 1600), html.marked("a", one, EVIL)]
    for part in [*parts, html.notes([EVIL])]:
        assert "<img src=x" not in part and "&lt;img src=x" in part


def test_faces_lie_within_the_picture_and_the_chosen_are_marked(one):
    drawn = html.stage("photos/t/0", one)
    assert drawn.count('style="left:0.00%;top:20.00%;width:40.00%;height:50.00%"') == 2
    assert drawn.count('class="face chosen"') == 1 and "<b>1</b>" in drawn and "<b>2</b>" in drawn


def test_the_map_is_laid_over_on_request(one):
    assert "a/map?0" in html.compared("a", one, True) and "a/after?0" in html.compared("a", one, False)


def test_all_are_offered_where_there_are_several(one):
    assert "zip" not in html.downloads("a", one, 1, "b") and "Download all 2 as a zip" in html.downloads(
        "a", one, 2, "b"
    )


def test_progress_is_shown_while_something_is_done():
    assert '<progress max="1" value="0.500"' in html.status("a", 0.5, busy=True)
    assert "<progress" not in html.status("a") and html.notes([]) == ""


def test_what_is_marked_is_drawn_on_no_larger_than_it_is_shown(one):
    """A large photograph is drawn on in the size in which it is shown, with its proportions; the mask has its own."""
    one.size = (8000, 4000)
    drawn = html.brush("photos/t/0", 0, one, 1600)
    assert '<canvas width="1600" height="800" tabindex="0" role="application"' in drawn and 'data-marks=""' in drawn
    assert "_mask.png" not in html.marked("photos/t/0", one, "Nothing.")
    one.marks.strokes.append(Stroke(np.zeros((1, 2)), 0.1, False, 0))
    assert 'data-marks="photos/t/0/marks?0"' in html.brush("photos/t/0", 0, one, 1600)
    assert 'href="photos/t/0/mask?0" download=' in html.marked("photos/t/0", one, "All.")
