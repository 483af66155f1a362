"""Guesses where a face might be."""

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from limner.faces.align import invert, transform
from limner.faces.proposals import PATCH_PER_BOX, grid, haar, scale_of

FACE = np.array([[224.0, 115.0]])  # between the eyes and the mouth of the astronaut


@pytest.fixture(scope="module")
def grey():
    return cv2.cvtColor(astronaut(), cv2.COLOR_RGB2GRAY)


def centres(frames: np.ndarray) -> np.ndarray:
    return np.array([transform(np.array([[0.5, 0.5]]), invert(frame))[0] for frame in frames])


def sides(frames: np.ndarray) -> np.ndarray:
    return 1 / np.sqrt(np.abs(np.linalg.det(frames[:, :, :2])))


def test_the_cascade_frames_a_face(grey):
    frames = haar(grey, 0, 512)
    distance = np.linalg.norm(centres(frames) - FACE, axis=1)
    assert distance.min() < 15
    assert 80 < sides(frames)[distance.argmin()] / PATCH_PER_BOX < 200


@pytest.mark.parametrize("longest", [256, 10_000])
def test_a_shrunk_copy_frames_the_same_face(grey, longest):
    whole, shrunk = haar(grey, 0, 512), haar(grey, 0, longest)
    near = [frames[np.linalg.norm(centres(frames) - FACE, axis=1).argmin()] for frames in (whole, shrunk)]
    np.testing.assert_allclose(centres(np.stack(near))[1], centres(np.stack(near))[0], atol=12)


@pytest.mark.parametrize("angle", [30, -30])
def test_a_tilted_face_stands_upright_in_the_turned_copy(grey, angle):
    tilt = cv2.getRotationMatrix2D((255.5, 255.5), -angle, 1)  # clockwise by the angle
    tilted = cv2.warpAffine(grey, tilt, (512, 512), borderMode=cv2.BORDER_REFLECT_101)
    frames = haar(tilted, angle, 400)
    distance = np.linalg.norm(centres(frames) - transform(FACE, tilt), axis=1)
    assert distance.min() < 20
    frame = frames[distance.argmin()]
    turned = np.degrees(np.arctan2(frame[0, 1], frame[0, 0]))
    assert turned == pytest.approx(angle, abs=1e-6)


def test_nothing_is_found_in_a_blank_wall():
    assert haar(np.full((200, 300), 128, np.uint8), 0, 300).shape == (0, 2, 3)


@pytest.mark.parametrize(("width", "height"), [(100, 100), (180, 100), (64, 120)])
def test_the_grid_leaves_no_place_out(width, height):
    frames = grid(width, height, [0])
    y, x = np.mgrid[: height + 1 : 4, : width + 1 : 4]
    points = np.stack([x.ravel(), y.ravel()], -1).astype(float)
    short = min(width, height)
    for share in (0.9, 0.65, 0.47):
        some = frames[np.isclose(sides(frames), share * short)]
        covered = np.zeros(len(points), bool)
        for frame in some:
            within = transform(points, frame)
            covered |= ((within > -0.02) & (within < 1.02)).all(1)
        assert covered.all(), share
    assert np.isclose(sides(frames), 1.25 * short).any()


def test_the_grid_turns_with_its_angles_and_needs_a_crop_like_picture():
    frames = grid(100, 80, [0, 90])
    turned = np.degrees(np.arctan2(frames[:, 0, 1], frames[:, 0, 0]))
    assert {round(angle) for angle in turned} == {0, 90}
    assert len(grid(100, 80, [0])) < len(frames)
    assert grid(210, 100, [0]).shape == (0, 2, 3)


def test_a_picture_is_shrunk_by_its_pixels_and_not_by_its_length():
    assert scale_of(1600, 1600, 1600) == scale_of(100, 5000, 1600) == 1
    assert scale_of(3200, 3200, 1600) == 0.5
    assert scale_of(12_800, 800, 1600) == scale_of(800, 12_800, 1600) == 0.5
