"""The report of rows shows what lies on disk and names the weights."""

from types import SimpleNamespace

import numpy as np
from torch import nn

from limner.evaluate.definitions.fidelity import PSNR
from limner.evaluate.definitions.given_nets import GivenNet
from limner.evaluate.measure import Measures
from limner.evaluate.row_report import ceilings_of, report_rows, see, weights_of
from limner.evaluate.side_by_side import INPUT, Case, Cases, SideBySide, untouched
from limner.settings import Settings


def made(number):
    truth = np.random.default_rng(number).integers(40, 200, (32, 32, 3)).astype(np.uint8)
    return Case(truth + np.uint8(3), truth)


def restorer(finish, strength="auto"):
    parts = {"estimator": nn.Identity(), "schedule": object()}
    pipeline = SimpleNamespace(components=parts, ceilings=lambda: {"ceiling": None})
    info = SimpleNamespace(name="mini", origin="embedded", licence="Apache-2.0")
    settings = Settings(strength=strength)
    return SimpleNamespace(method=SimpleNamespace(info=info, pipeline=pipeline), finish=finish, settings=settings)


def test_rows_are_told_with_their_pictures(tmp_path):
    cases = Cases(["a", "b", "c"], made)
    rows = SideBySide(
        cases, {INPUT: untouched, "half": lambda case, n: case.input // 2}, Measures((PSNR,), (), (), True), tmp_path
    )
    summaries = rows.run({"protocol": "own"}, lambda count: None)
    seen = see(rows, "half", "b")
    assert (seen.picture == made(1).input // 2).all() and (seen.truth == made(1).truth).all()
    assert (seen.input == made(1).input).all()
    path = report_rows("limner-test", rows, summaries, {"half": restorer(2)}, GivenNet(), "A title")
    page = path.read_text(encoding="utf-8")
    assert "A title" in page and "restoring: half (estimator)" in page and "finishing: half" in page


def test_weights_and_ceilings():
    told = [one.purpose for one in weights_of({"a": restorer(0)})]
    assert told[0] == "restoring: a (estimator)" and not any("finishing" in one for one in told)
    assert len(told) == 3 and [one.purpose for one in weights_of({"a": restorer(0, 1.0)})] == told[:1], "none is joined"
    assert ceilings_of({"a": restorer(0)}) == {"ceiling"}
