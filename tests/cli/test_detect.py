"""`limner detect`: --save, and - as the input."""

import json
import sys
from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut


@pytest.fixture
def portrait(tmp_path):
    Image.fromarray(astronaut()[:300, 80:380]).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_numbered_boxes_are_drawn(run, portrait, tmp_path):
    before = portrait.read_bytes()
    assert run("detect", portrait, "--save", tmp_path / "faces.png")[0] == 0
    drawn = np.asarray(Image.open(tmp_path / "faces.png"))
    assert drawn.shape == (300, 300, 3) and (drawn == (255, 224, 0)).all(axis=2).sum() > 200
    code, _, err = run("detect", portrait, "--save", tmp_path / "faces.png")
    assert code == 2 and "faces.png is there already: --overwrite replaces it" in err
    assert run("detect", portrait, "--save", tmp_path / "faces.png", "--overwrite")[0] == 0
    for name in ("a.png", "faces.gif"):
        code, _, err = run("detect", portrait, "--save", tmp_path / name)
        assert code == 2 and err.count("\n") == 1
    assert portrait.read_bytes() == before


def test_a_number_is_the_one_that_chooses(run, tmp_path):
    canvas = np.full((300, 420, 3), 210, np.uint8)
    canvas[:, :300] = astronaut()[:300, 80:380]
    canvas[:120, 300:] = np.asarray(Image.fromarray(astronaut()[:300, 80:380]).resize((120, 120)))
    Image.fromarray(canvas).save(tmp_path / "two.png")
    _, out, _ = run("detect", tmp_path / "two.png", "--faces", "1")
    assert out.splitlines()[1].split()[0] == "1"


def test_a_photo_comes_in_through_the_stream(run, portrait, monkeypatch):
    wanted = json.loads(run("detect", portrait, "--json")[1])
    for data, code in ((portrait.read_bytes(), 0), (b"Dear Anna,", 2)):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=BytesIO(data)))
        given = run("detect", "-", "--json")
        assert given[0] == code
        if code:
            assert given[2].startswith("limner: - is not a picture") and json.loads(given[1])["error"] in given[2]
        else:
            assert json.loads(given[1]) == {**wanted, "photo": "-"}


def test_what_the_search_leaves_out_is_told(run, portrait, monkeypatch):
    monkeypatch.setattr("limner.faces.placing.LARGE_FACE", 1)
    code, _, err = run("detect", portrait)
    assert code == 0 and "Faces smaller than" in err and err.count("\n") == 1
    _, out, _ = run("detect", portrait, "--json")
    assert json.loads(out)["notes"][0].startswith("Faces smaller than")


def test_a_face_that_is_smaller_than_asked_is_told(run, portrait):
    _, _, err = run("detect", portrait, "--min-face", "500")
    assert err.startswith(f"{portrait}: 1 face is below --min-face or --min-score.")


def test_how_well_the_photo_shows_a_face_is_told(run, tmp_path):
    Image.fromarray(astronaut()[:160, 205:400]).save(tmp_path / "cut.png")  # through the left eye
    _, out, err = run("detect", tmp_path / "cut.png")
    assert out.splitlines()[0].split()[-2:] == ["turned", "damage"]
    assert "The face: cut by the edge of the photo" in err
    told = json.loads(run("detect", tmp_path / "cut.png", "--json")[1])
    (face,) = told["faces"]
    assert face["number"] == 0 and 0.05 < face["outside"] < 0.6 and 0 <= face["damage"] < 0.4
    assert abs(face["roll"]) < 20 and abs(face["pitch"]) < 30 and abs(face["yaw"]) < 45 and face["residual"] < 0.15
    assert 0.7 < face["enlarged"] < 2 and told["notes"][0].startswith("The face: cut")


def test_a_turn_that_is_not_known_is_not_told(run, portrait, monkeypatch):
    monkeypatch.setattr("limner.faces.pose.POORLY", 0.0)
    face = json.loads(run("detect", portrait, "--json")[1])["faces"][0]
    assert face["yaw"] is face["pitch"] is face["roll"] is None and face["residual"] > 0
    _, out, err = run("detect", portrait)
    assert out.splitlines()[1].split()[-2] == "?" and "the five points are not those of a head" in err
