"""What stands before faces, and what is no face."""

import numpy as np
import pytest

from limner.data import occluders
from limner.data.occluders import cover, dial, relief, scrambled
from limner.nets.alignnet import upright_points


@pytest.mark.parametrize("thing", occluders._THINGS, ids=lambda thing: thing.__name__)
def test_each_thing_hides_part_of_a_face_and_little_else(thing, monkeypatch):
    monkeypatch.setattr(occluders, "_THINGS", (thing,))
    points = upright_points(60) + 70
    changed = np.zeros((200, 200), bool)
    for seed in range(8):
        scene = np.full((200, 200, 3), 117, np.uint8)
        cover(scene, points, np.random.default_rng(seed))
        changed |= (scene != 117).any(-1)
    assert changed[60:140, 60:140].mean() > 0.03
    assert changed.mean() < 0.7


def test_scrambled_parts_are_in_other_places():
    face = np.arange(96 * 96, dtype=np.uint32).reshape(96, 96, 1).repeat(3, 2)
    for seed in range(20):
        mixed = scrambled(face, np.random.default_rng(seed))
        assert mixed.shape == face.shape and (mixed != face).mean() > 0.5


def test_reliefs_and_dials_are_pictures():
    rng = np.random.default_rng(0)
    face = rng.integers(0, 256, (96, 96, 3), dtype=np.uint8)
    for picture in (relief(face, rng), dial(96, rng)):
        assert picture.shape == (96, 96, 3) and picture.dtype == np.uint8 and picture.std() > 5
