"""The measure of the finder's points."""

import numpy as np
import pytest

from limner.data.faces import FaceSet
from limner.evaluate import landmarks
from limner.evaluate.landmarks import SEVERE, error, measure, shown, table
from limner.evaluate.protocols import Request
from limner.faces.align import transform
from limner.faces.find import Face
from limner.nets.alignnet import upright_points


@pytest.fixture(scope="module")
def faces(shared) -> FaceSet:
    return FaceSet.open(shared / "faces", "test")


def test_error_is_in_eye_distances():
    truth = np.array([(0, 0), (50, 0), (25, 30), (5, 60), (45, 60)], float)
    assert error(truth, truth) == 0
    assert error(truth + np.array([3, 4]), truth) == pytest.approx(0.1)


def test_what_is_shown(faces):
    seen = list(shown(faces, None, False, 6, 0))
    assert len(seen) == 6
    picture, truth, rough = seen[0]
    np.testing.assert_array_equal(picture, faces.image(0, 512))
    np.testing.assert_allclose(truth, faces.landmarks(0, 512), rtol=1e-6)
    assert np.abs(transform(truth, rough) - upright_points(1)).max() < 0.25  # rough, and yet a patch of this face
    again = next(iter(shown(faces, SEVERE, True, 6, 0)))
    np.testing.assert_array_equal(again[0], next(iter(shown(faces, SEVERE, True, 6, 0)))[0])
    assert np.abs(again[1] - truth).max() > 5


@pytest.mark.slow
def test_measure(faces):
    row = measure(faces, None, True, limit=4)
    assert row.faces == 4 and row.found == 1 and row.false < 1
    assert row.mean < 0.08 and row.net_mean < 0.08
    assert "clean, turned" in table([row]) and "100.0%" in table([row])


def test_the_protocol_shows_crops_and_canvases(shared, faces, monkeypatch):
    row = measure(faces, None, False, limit=1)
    monkeypatch.setattr(landmarks, "measure_all", lambda faces, limit, seed: [row])
    monkeypatch.setattr(landmarks.canvases, "TURNS", (0,))
    report = landmarks.run(Request(shared / "faces", limit=1), {})
    assert [one.figures.get("turn") for one in report.rows] == [None, 0, 0]
    assert "finder: mean" in report.text and "ffhq-ref-severe, turned by 0" in report.text


def test_a_finder_that_finds_nothing_is_told_so(faces, monkeypatch):
    monkeypatch.setattr(landmarks, "find_faces", lambda *_: [])
    row = measure(faces, None, False, limit=2)
    assert row.found == 0 and np.isnan(row.mean) and row.net_mean < 0.1
    assert " 0.0%" in table([row])


def test_strangers_are_counted(faces, monkeypatch):
    stranger = Face((0, 0, 20, 20), np.full((5, 2), 10, np.float32), 1.0)
    monkeypatch.setattr(landmarks, "find_faces", lambda *_: [stranger, stranger])
    row = measure(faces, None, False, limit=2)
    assert row.found == 0 and row.false == 2
