"""Degradations are drawn again, or read."""

import json

import numpy as np
import pytest

from limner.data.pairs import named_generator
from limner.degrade.degrade import apply, draw, grid_point
from limner.errors import LimnerError
from limner.evaluate.known_degradations import PARAMETERS, KnownDegradations

CLEAN = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
TOLD = {"sigma_x": 2, "sigma_y": 2.5, "rotation": 0.1, "downsample": 4, "noise_sigma": 9, "jpeg_quality": 60}


def spoiled(known: KnownDegradations, name: str, file: str) -> np.ndarray:
    return apply(CLEAN, known.of(name, file, 32, 32))


def test_a_preset_is_drawn_by_the_files_name(tmp_path):
    known = KnownDegradations.read("gfpgan")
    mine = apply(CLEAN, draw("gfpgan", named_generator("a.jpg", "gfpgan"), 32, 32))
    np.testing.assert_array_equal(spoiled(known, "a", "a.jpg"), mine)
    assert (spoiled(known, "a", "a.png") != mine).any()
    KnownDegradations("gfpgan", {"a": "a.jpg"}).save(tmp_path / "told.json")
    again = KnownDegradations.read(str(tmp_path / "told.json"))
    np.testing.assert_array_equal(spoiled(again, "a", "a.png"), mine)


def test_a_face_of_the_grid_has_its_point(tmp_path):
    KnownDegradations("difface-grid", {"a": "a.jpg"}, {"a": 3000}).save(tmp_path / "told.json")
    known = KnownDegradations.read(str(tmp_path / "told.json"))
    mine = grid_point(3000, named_generator("a.jpg", "difface-grid"), 32, 32)
    np.testing.assert_array_equal(spoiled(known, "a", "a.png"), apply(CLEAN, mine))


def test_parameters_for_all_or_for_each(tmp_path):
    path = tmp_path / "told.json"
    path.write_text(json.dumps(TOLD))
    one = KnownDegradations.read(str(path)).of("a", "a.png", 32, 32)
    assert (one.sigma_y, one.jpeg_quality, one.noise_sigma) == (2.5, 60, 0), "noise can't be told"
    path.write_text(json.dumps({"a": TOLD}))
    known = KnownDegradations.read(str(path))
    np.testing.assert_array_equal(apply(CLEAN, one), spoiled(known, "a", "a.png"))
    with pytest.raises(LimnerError, match="The degradation of b isn't told"):
        known.of("b", "b.png", 32, 32)


def test_what_tells_none_is_refused(tmp_path):
    with pytest.raises(LimnerError, match="There is no degradation 'fire': give gfpgan"):
        KnownDegradations.read("fire")
    with pytest.raises(LimnerError, match="can't be read: check the path"):
        KnownDegradations.read(str(tmp_path / "none.json"))
    path = tmp_path / "told.json"
    wrong = [
        "[]",
        "{",
        '{"preset": "fire", "files": {}, "points": {}}',
        '{"preset": "gfpgan"}',
        json.dumps(TOLD | {"downsample": 0}),
        json.dumps(TOLD | {"jpeg_quality": "many"}),
        json.dumps(TOLD | {"sigma_x": float("nan")}),
        json.dumps({name: TOLD[name] for name in PARAMETERS[1:]}),
    ]
    for text in wrong:
        path.write_text(text)
        with pytest.raises(LimnerError, match="tells no degradation"):
            KnownDegradations.read(str(path))
