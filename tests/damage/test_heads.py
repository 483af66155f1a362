"""Heads are no damage: what is broad on one is left, wherever a mark goes on, and all else stays."""

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from limner.damage import heads
from limner.damage.find import certain
from limner.damage.heads import head_of, without_heads
from limner.faces.find import Face

FACE = np.ascontiguousarray(astronaut()[:384, 64:448])
PHOTO = np.zeros((300, 400, 3), np.uint8)


@pytest.fixture
def one_face(monkeypatch) -> Face:
    """PHOTO has one, 60 px, and it is looked for."""
    face = Face((170, 120, 230, 180), np.zeros((5, 2), np.float32), 0.9)
    monkeypatch.setattr(heads, "find_faces", lambda pixels: [face])
    return face


def numbered(found: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.connectedComponents(found.astype(np.uint8), connectivity=8)[1], np.int32)


@pytest.mark.slow
def test_a_face_is_no_flake_though_the_net_says_so():
    """All of a face, as it happened in a group; a scratch across it and a flake beside it are damage."""
    chance, (y, x) = np.zeros(FACE.shape[:2], np.float32), (110, 160)
    face = np.hypot(*np.ogrid[-y : 384 - y, -x : 384 - x]) < 50
    flake, scratch = np.s_[340:370, 20:60], np.s_[2:338, x : x + 3]
    chance[face] = chance[flake] = 1
    found = certain(chance, 0.1, FACE)
    assert found[flake].all() and not found[face].any()
    chance[face] = 0
    chance[scratch] = 1
    assert certain(chance, 0.1, FACE)[scratch].all()


def test_a_scratch_that_meets_a_broad_mark_on_a_head_stays(one_face):
    found = np.zeros((300, 400), bool)
    found[148:152, 20:380] = True
    assert without_heads(numbered(found), PHOTO).sum() == found.sum()
    broad = np.hypot(*np.ogrid[-150:150, -200:200]) < 14
    left = without_heads(numbered(found | broad), PHOTO)
    assert left[148:152, 20:170].all() and left[148:152, 230:380].all() and not left[broad].any()
    ragged = found | broad
    ragged[:, :160] = ragged[:, 240:] = False
    assert not without_heads(numbered(ragged), PHOTO).any(), "nor a ring around what is left"


@pytest.mark.parametrize("above", [False, True], ids=["mostly on the head", "mostly beside it"])
def test_what_comes_from_the_edge_is_a_tear_where_it_lies_beside_the_head(one_face, above):
    found = np.hypot(*np.ogrid[-150:150, -200:200]) < 25
    found[:150, 199:202] = True
    found[:60, 150:250] |= above
    left = without_heads(numbered(found), PHOTO)
    assert left[145:155, 190:210].all() == above and left[:60, 199:202].all() == above


def test_faces_are_looked_for_where_a_mark_could_hide_one(monkeypatch):
    looked = []
    monkeypatch.setattr(heads, "find_faces", lambda pixels: looked.append(pixels) or [])
    found = np.zeros(PHOTO.shape[:2], bool)
    found[5:7] = True
    assert without_heads(numbered(found), PHOTO).sum() == 800 and not looked
    found[20:40, 20:40] = True
    assert without_heads(numbered(found), PHOTO).sum() == 1200 and len(looked) == 1


@pytest.mark.parametrize("box", [(170, 120, 230, 180), (-30, -20, 20, 30), (390, 290, 450, 350), (500, 10, 560, 70)])
def test_a_head_is_a_disc_within_the_photo(box):
    part, head = head_of(Face(box, np.zeros((5, 2), np.float32), 0.9), 300, 400)
    whole = np.zeros((300, 400), bool)
    assert whole[part].shape == head.shape
    whole[part] = head
    x, y, radius = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, 0.65 * (box[2] - box[0])
    assert (whole == (np.hypot(*np.ogrid[-y : 300 - y, -x : 400 - x]) < radius)).all()
