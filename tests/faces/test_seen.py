"""How well a photograph shows a face."""

import numpy as np
import pytest

from limner.faces.find import Face
from limner.faces.placing import AlignedCrop, FoundFaces
from limner.faces.pose import projected
from limner.faces.seen import outside, seen

FOUND = FoundFaces("limner", None)


def face(yaw: float, scale: float = 1.0, at: float = 150.0) -> Face:
    """The mean head, turned, its eyes 63 * scale pixels apart."""
    points = (projected(np.array(yaw), np.array(0.0)) * scale + at).astype(np.float32)
    return Face((at - 70 * scale, at - 50 * scale, at + 70 * scale, at + 90 * scale), points, 0.9, 3)


def test_what_is_told_of_a_face():
    photo = np.random.default_rng(0).integers(0, 255, (300, 300, 3), np.uint8)
    told = seen(photo, face(70), FOUND, 256)
    assert told.number == 3 and told.score == 0.9 and told.size == 140 and told.damage is not None
    assert told.pose is not None and told.pose.yaw == pytest.approx(70, abs=0.3)
    assert told.turned == pytest.approx(70, abs=0.3) and told.profile
    assert not seen(photo, face(-58), FOUND, 256).profile and seen(photo, face(-62), FOUND, 256).profile


def test_how_much_the_net_enlarges_a_face():
    photo = np.zeros((300, 300, 3), np.uint8)
    large, small = (seen(photo, face(0, scale), FOUND, 256).enlarged for scale in (1.0, 0.5))
    assert small == pytest.approx(2 * large) and seen(photo, face(0), FOUND, 512).enlarged == pytest.approx(2 * large)
    assert large == pytest.approx(1, abs=0.1), "eyes 63 px apart are those of a crop of 256"


def test_points_that_are_no_head_have_no_turn():
    wrong = face(0)
    wrong.landmarks[2] = 150, 60
    told = seen(np.zeros((300, 300, 3), np.uint8), wrong, FOUND, 256)
    assert told.pose is not None and not told.pose.sure and told.turned is None and not told.profile


def test_nobody_looked_for_the_points_of_an_aligned_crop():
    crop = np.zeros((128, 128, 3), np.uint8)
    told = seen(crop, AlignedCrop().find(crop)[0], AlignedCrop(), 256)
    assert told.pose is None and told.outside == 0 and told.enlarged == pytest.approx(2) and told.damage == 1


def test_how_much_lies_beyond_the_edge():
    assert outside((10, 10, 50, 50), 100, 60) == 0
    assert outside((-10, 10, 30, 50), 100, 60) == pytest.approx(0.25)
    assert outside((80, 40, 120, 80), 100, 60) == pytest.approx(0.75)
    assert outside((-80, 0, -40, 40), 100, 60) == 1
