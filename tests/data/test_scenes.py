"""Composed scenes: the truth about each face is true."""

import cv2
import numpy as np
import pytest

from limner.data.faces import FaceSet
from limner.data.scenes import STORED, Scenes, _Composer

from ..dotted import COLOURS, dotted_face


@pytest.fixture(scope="module")
def dotted(tmp_path_factory) -> FaceSet:
    return dotted_face(tmp_path_factory.mktemp("faces"), 12)


@pytest.fixture
def composer(dotted) -> _Composer:
    return _Composer(Scenes(dotted, [], 192, 0), np.random.default_rng(1))


def test_points_lie_where_the_face_was_pasted(dotted):
    scenes, checked = Scenes(dotted, [], 192, 0), 0
    for seed in range(60):
        composer = _Composer(scenes, np.random.default_rng(seed))
        composer.paste_face(45, 10 * seed)
        for (x, y), colour in zip(composer.points[0], COLOURS, strict=True):
            shares = [
                composer.picture[round(y), round(x)].astype(int) @ np.array(one)
                for one in (colour, (255, 255, 255))
                if 0 <= round(x) < 192 and 0 <= round(y) < 192
            ]
            checked += len(shares) > 0 and shares[0] > 0.5 * shares[1] * sum(c > 0 for c in colour) / 3
    assert checked > 0.6 * 300  # the rest is behind something, beyond the edge, or mirrored


def test_sides_are_those_of_the_boxes(composer):
    for side in (10.0, 20.0, 40.0):
        composer.paste_face(side, 0)
    assert np.array(composer.sides) == pytest.approx([10, 20, 40], rel=0.35)  # some are narrow, as turned heads are


def test_what_is_covered_is_not_visible(composer):
    composer.paste_face(30, 0)
    composer.rng = np.random.default_rng(1)
    before = composer.finished().visible[0]
    composer.owner[:, :96], composer.owner[:, 96:] = -1, -1
    assert composer.finished().visible[0] == 0 and 0 < before <= 1


def test_a_scene_depends_on_seed_and_number_alone(dotted):
    for n in range(12):
        one, same, other = (Scenes(dotted, [], 192, seed)[n] for seed in (3, 3, 4))
        assert np.array_equal(one.picture, same.picture) and np.array_equal(one.points, same.points)
        assert not np.array_equal(one.picture, other.picture)
        assert one.picture.shape == (192, 192, 3) and one.picture.dtype == np.uint8
        assert len(one.points) == len(one.sides) == len(one.visible)
        assert ((one.visible >= 0) & (one.visible <= 1)).all()


def test_scenes_stand_before_the_photographs_that_are_given(dotted, tmp_path):
    red = np.zeros((300, 400, 3), np.uint8)
    red[..., 2] = 255
    cv2.imwrite(str(tmp_path / "red.png"), red)
    scenes = Scenes(dotted, [tmp_path / "red.png"], 192, 0)
    shown = [(scenes.backdrop(np.random.default_rng(n)) == (255, 0, 0)).all() for n in range(40)]
    assert 0.35 < np.mean(shown) < 0.75


def test_masks_cut_out_faces(dotted):
    masks = Scenes(dotted, [], 192, 0).masks
    assert all(mask.shape == (STORED, STORED) for mask in masks)
    assert np.mean([mask[STORED // 2, STORED // 2] > 127 for mask in masks]) > 0.9
