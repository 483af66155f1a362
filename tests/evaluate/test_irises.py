"""The eye measure on eyes whose centre is known."""

import cv2
import numpy as np
import pytest

from limner.data.faces import FaceSet
from limner.evaluate import irises
from limner.evaluate.irises import iris, measure


def drawn(centre, radius, bright=200, dark=60):
    """An iris, drawn at four times the size for its place between pixels."""
    picture = np.full((400, 400), bright, np.uint8)
    middle = tuple(round(4 * value + 1.5) for value in centre)
    cv2.circle(picture, middle, round(4 * radius), dark, -1)
    return cv2.resize(picture, (100, 100), interpolation=cv2.INTER_AREA)


def test_the_centre_of_an_iris_is_found():
    for centre in ((50.0, 50.0), (55.5, 47.25)):
        found = iris(drawn(centre, 10), np.array([52.0, 49.0]), eyes=110)
        assert found is not None
        assert np.abs(found - centre).max() < 1


def test_no_circle_is_no_iris():
    assert iris(np.full((100, 100), 128, np.uint8), np.array([50.0, 50.0]), eyes=110) is None
    assert iris(drawn((50, 50), 10, 90, 80), np.array([50.0, 50.0]), eyes=110) is None  # hardly any edge


@pytest.mark.slow
def test_measure(shared, monkeypatch, capsys):
    faces = FaceSet.open(shared / "faces", "test").first(2)
    result = measure(faces)
    assert result.eyes == 4
    assert 0.005 < result.found < 0.06 and 0.005 < result.labels < 0.08
    monkeypatch.setattr(irises, "measure", lambda faces: result)
    monkeypatch.setattr("sys.argv", ["irises", "--data", str(shared / "faces")])
    irises.main()
    assert capsys.readouterr().out.startswith("4 eyes: labels ")


def test_irises_lie_where_eyes_are(shared):
    faces = FaceSet.open(shared / "faces", "test")
    picture, points = faces.image(0, 512), faces.landmarks(0, 512).astype(float)
    eyes = float(np.linalg.norm(points[1] - points[0]))
    centre = iris(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), points[0], eyes)
    assert centre is not None
    # the same picture moved: the centre moves with it, whatever the label says
    moved = np.roll(picture, (3, 5), (0, 1))
    again = iris(cv2.cvtColor(moved, cv2.COLOR_RGB2GRAY), points[0], eyes)
    assert again is not None
    assert np.abs(again - centre - (5, 3)).max() == pytest.approx(0, abs=1.01)
