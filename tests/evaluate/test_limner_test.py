"""limner-test makes its pairs one by one and leaves them for other tools."""

import json

import numpy as np
import pytest

from limner.data.pairs import FixedPairs, fixed_pairs
from limner.errors import LimnerError
from limner.evaluate import limner_test, row_report
from limner.evaluate.evaluate import Asked, evaluate_folder
from limner.evaluate.limner_test import case_of
from limner.evaluate.picture_files import picture_of
from limner.evaluate.protocols import Request

from .faces_folder import folder_of_faces
from .sets import small_measures


class Restores:
    """Stands in for a restorer."""

    size = 64
    method = None


@pytest.fixture
def small(monkeypatch):
    small_measures(monkeypatch)
    monkeypatch.setattr(row_report, "weights_of", lambda restorers: [])
    monkeypatch.setattr(row_report, "ceilings_of", lambda restorers: frozenset())
    monkeypatch.setattr(limner_test, "bounds", lambda method: {})
    monkeypatch.setattr(limner_test, "whole", lambda restorer: lambda case, number: case.input // 2)


def test_pairs_are_made_when_they_are_asked_for(tmp_path):
    faces = Request(folder_of_faces(tmp_path, 3)).first_faces()
    pairs = FixedPairs(faces, 64, "gfpgan")
    assert not faces._decoded, "nothing is kept"
    for one, other in zip(pairs, fixed_pairs(faces, 64, "gfpgan"), strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(pairs[1:]) == 2 and (pairs[-1][0] == pairs[2][0]).all() and not faces._decoded
    case = case_of(pairs, 1)
    np.testing.assert_array_equal(case.input, pairs[1][0])
    assert case.degradation is not None


def test_what_it_leaves_can_be_measured_again(small, tmp_path):
    data, out = folder_of_faces(tmp_path / "data", 4), tmp_path / "out"
    report = limner_test.run(Request(data, "gfpgan", output=out), {"half": Restores()})
    assert [row["method"] for row in report.rows] == ["input", "half"]
    assert report.note == f"The report: {out / 'report.html'}" and (out / "report.html").is_file()
    assert json.loads((out / "degradation.json").read_text())["preset"] == "gfpgan"
    what = Asked(out / "half", out / "truth", inputs=out / "input", degradation=str(out / "degradation.json"))
    again, _ = evaluate_folder(what, tmp_path / "again")
    assert again.estimates["psnr"].value == pytest.approx(report.rows[1].number("psnr"))
    assert again.estimates["consistency"].value == pytest.approx(report.rows[1].number("consistency"))
    assert picture_of(out / "truth" / "face0.png").shape == (64, 64, 3)


def test_a_preset_that_does_not_exist_is_told_at_once(small, tmp_path):
    with pytest.raises(LimnerError, match="There is no degradation preset 'fire'"):
        limner_test.run(Request(folder_of_faces(tmp_path, 1), "fire"), {"half": Restores()})
