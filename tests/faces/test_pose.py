"""How far a face is turned, of the mean head's own projections and of labelled faces."""

import numpy as np
import pytest

from limner.faces.pose import MEAN_HEAD, pose_of, projected
from limner.template import template

TURNS = [(yaw, pitch) for yaw in (-85.0, -62.0, -40.0, -10.0, 0.0, 25.0, 58.0, 75.0) for pitch in (-20.0, 0.0, 15.0)]


def rotated(points: np.ndarray, degrees: float) -> np.ndarray:
    """Clockwise as seen, y being down."""
    turn = np.radians(degrees)
    return points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])


def mirrored(points: np.ndarray) -> np.ndarray:
    return (points * (-1, 1))[[1, 0, 2, 4, 3]]


@pytest.mark.parametrize(("yaw", "pitch"), TURNS)
def test_a_pose_is_recovered_from_its_projection(yaw: float, pitch: float):
    head = projected(np.array(yaw), np.array(pitch))
    found = pose_of(3 * rotated(head, 30) + 100)
    assert found.yaw == pytest.approx(yaw, abs=0.2) and found.pitch == pytest.approx(pitch, abs=0.2)
    assert found.roll == pytest.approx(30, abs=0.2) and found.residual < 0.002 and found.sure


@pytest.mark.parametrize("yaw", [0.0, 30.0, 65.0, 85.0])
def test_a_pose_is_recovered_under_noise(yaw: float):
    rng = np.random.default_rng(0)
    noise = 0.03 * 63 / np.sqrt(2)  # 3 % of the eye distance
    heads = [projected(np.array(yaw), np.array(0.0)) + rng.normal(0, noise, (5, 2)) for _ in range(30)]
    found = [pose_of(head) for head in heads]
    assert np.mean([abs(one.yaw - yaw) for one in found]) < 3 and max(abs(one.yaw - yaw) for one in found) < 9
    assert np.mean([abs(one.pitch) for one in found]) < 4 and all(one.sure for one in found)


@pytest.mark.parametrize(("yaw", "pitch"), TURNS[::5])
def test_the_mirror_image_is_turned_the_other_way(yaw: float, pitch: float):
    head = projected(np.array(yaw), np.array(pitch)) + np.random.default_rng(1).normal(0, 2, (5, 2))
    seen, other = pose_of(rotated(head, 10)), pose_of(mirrored(rotated(head, 10)))
    assert other.yaw == pytest.approx(-seen.yaw, abs=1e-6) and other.roll == pytest.approx(-seen.roll, abs=1e-6)
    assert other.pitch == pytest.approx(seen.pitch, abs=1e-6)


def test_a_turned_photo_turns_the_roll_alone():
    five = template(512) + np.random.default_rng(2).normal(0, 6, (5, 2))
    upright = pose_of(five)
    for degrees in (-170, -90, -35, 5, 90):
        turned = pose_of(rotated(five, degrees))
        assert (turned.yaw, turned.pitch) == pytest.approx((upright.yaw, upright.pitch), abs=1e-6)
        assert (turned.roll - upright.roll - degrees + 180) % 360 - 180 == pytest.approx(0, abs=1e-6)


def test_which_way_is_which():
    right = projected(np.array(30.0), np.array(0.0))
    assert right[2, 0] > right[[0, 1, 3, 4], 0].mean(), "to the right as seen, the nose goes there"
    up = projected(np.array(0.0), np.array(20.0))
    assert up[2, 1] < projected(np.array(0.0), np.array(-20.0))[2, 1], "upwards, so does the nose"


def test_the_template_looks_ahead():
    pose = pose_of(template(512))
    assert abs(pose.yaw) < 1 and abs(pose.roll) < 1 and abs(pose.pitch) < 8 and pose.sure


def test_points_that_are_no_head_are_told():
    upside_down_nose = MEAN_HEAD[:, :2].copy()
    upside_down_nose[2] = 0, -60
    crossed = MEAN_HEAD[[1, 0, 2, 3, 4], :2]
    assert not pose_of(upside_down_nose).sure and not pose_of(crossed).sure
