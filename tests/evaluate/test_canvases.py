"""Faces on canvases, and how well they are found."""

import numpy as np
import pytest

from limner.data.faces import MESH_POINTS, FaceSet
from limner.evaluate import canvases
from limner.evaluate.canvases import CANVAS, SIDE, measure, on_canvas, table
from limner.evaluate.landmarks import SEVERE
from limner.faces.find import Face


@pytest.fixture(scope="module")
def faces(shared) -> FaceSet:
    return FaceSet.open(shared / "faces", "test", points=MESH_POINTS).spread(2)


@pytest.mark.parametrize("turn", canvases.TURNS)
def test_points_turn_with_the_canvas(turn):
    crop = np.full((SIDE, SIDE, 3), 90, np.uint8)
    crop[100:104, 200:204] = 255
    picture, points = on_canvas(crop, np.tile([201.5, 101.5], (5, 1)), turn)
    assert picture.shape == (CANVAS, CANVAS, 3)
    brightest = np.argwhere(picture[..., 0] > 200).mean(0)[::-1]
    assert points[0] == pytest.approx(brightest, abs=0.5)


def told(monkeypatch, *faces: np.ndarray) -> None:
    monkeypatch.setattr(canvases, "find_faces", lambda *_: [Face((0, 0, 9, 9), five, 1.0) for five in faces])


def test_what_is_found_is_counted(faces, monkeypatch):
    _, truth = on_canvas(faces.image(0, SIDE), faces.landmarks(0, SIDE), 90)
    eyes = np.linalg.norm(truth[1] - truth[0])
    told(monkeypatch, truth + np.array([0.1 * eyes, 0]), truth + 3 * eyes)
    row = measure(faces.first(1), SEVERE, 90)
    assert (row.faces, row.found, row.false) == (1, 1, 1) and row.mean == pytest.approx(0.1, abs=1e-3)
    told(monkeypatch, truth[[1, 0, 2, 4, 3]])  # upside down it is not found
    assert measure(faces.first(1), None, 90).found == 0
    told(monkeypatch)
    row = measure(faces, None, 0)
    assert row.found == row.false == 0 and np.isnan(row.mean) and "clean, turned by 0" in table([row])


def test_faces_of_the_project_are_found(faces):
    row = measure(faces, None, 30)
    assert row.found == 1 and row.false == 0 and row.mean < 0.06
