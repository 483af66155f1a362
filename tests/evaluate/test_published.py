"""Published sets are restored and measured, as far as they have truths."""

import json
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from limner.data.pairs import named_generator
from limner.degrade.degrade import apply, grid_point
from limner.errors import LimnerError
from limner.evaluate import published, row_report
from limner.evaluate.evaluate import Asked, evaluate_folder
from limner.evaluate.picture_files import picture_of
from limner.evaluate.protocols import Request
from limner.evaluate.published_sets import PUBLISHED_SETS

from .sets import pictures, small_measures

SETS = {one.name: one for one in PUBLISHED_SETS}
NAMES = ("a", "b", "c", "d")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    small_measures(monkeypatch)
    monkeypatch.setattr(published, "whole", lambda way: way)  # the restorers are ways themselves
    monkeypatch.setattr(row_report, "weights_of", lambda restorers: [])
    monkeypatch.setattr(row_report, "ceilings_of", lambda restorers: frozenset())


def small_set(name, count=4):
    return replace(
        SETS[name], count=count, size=32, metrics=("psnr", "frechet", "frechet_real", "colour_person", "fid")
    )


def darker(case, number):
    return case.input // 2


def test_a_set_with_truths(tmp_path):
    data, out = tmp_path / "data", tmp_path / "out"
    pictures(data / "truth", NAMES)
    pictures(data / "input", NAMES, seed=1)
    told = []
    request = Request(data, output=out, progress=lambda *at: told.append(at))
    report = published.run(small_set("celeba-test"), request, {"darker": darker})
    assert report.facts == {"protocol": "celeba-test", "inputs": "as given", "faces": 4} and told[-1] == (4, 4)
    assert [row["method"] for row in report.rows] == ["input", "darker"]
    assert [one.key for one in report.columns] == ["method", "psnr", "frechet", "seconds"]
    assert report.note == "Not measured, as a net, a package or --real is missing: frechet_real, colour_person, fid."
    for part in ("input", "truth"):
        np.testing.assert_array_equal(picture_of(out / part / "a.png"), picture_of(data / part / "a.png"))
    what = Asked(out / "darker", out / "truth", inputs=out / "input")
    again, _ = evaluate_folder(what, tmp_path / "again")
    assert again.estimates["psnr"].value == pytest.approx(report.rows[1].number("psnr"))


def test_a_set_without_truths_needs_photographs(tmp_path):
    pictures(tmp_path / "input", NAMES)
    with pytest.raises(LimnerError, match="wider-test has no truths: give photographs .* by --real"):
        published.run(small_set("wider-test"), Request(tmp_path), {"darker": darker})
    real = pictures(tmp_path / "real", ["p", "q", "r", "s", "t"])
    request = Request(tmp_path, real=real, output=tmp_path / "out")
    report = published.run(small_set("wider-test", 970), request, {"darker": darker})
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "wider-test, 4 of 970" in page and 'data-what="truth"' not in page
    assert report.facts["protocol"] == "wider-test, 4 of 970"
    assert [one.key for one in report.columns] == ["method", "frechet_real", "seconds"]
    assert "These are 4 of the 970 pictures of wider-test" in report.note
    assert not {"psnr", "colour", "colour_rank1"} & report.rows[0].figures.keys()
    assert report.sheet.headings == ["input", "darker"] and len(report.sheet.pictures) == 4


def test_references_go_to_the_method_and_to_the_measures(tmp_path):
    pictures(tmp_path / "truth", NAMES)
    for name in NAMES:
        pictures(tmp_path / "references" / name, [f"{name}_1", f"{name}_2"])
    given = []

    def way(case, number):
        given.append([path.stem for path in case.references])
        return case.input

    report = published.run(small_set("ffhq-ref-severe"), Request(tmp_path), {"refldm": way})
    assert given[-1] == ["d_1", "d_2"] and report.facts["inputs"] == "made by ffhq-ref-severe"
    assert "colour_person" in [one.key for one in report.columns] and report.rows[0]["consistency"] is not None
    (tmp_path / "references" / "d" / "d_1.png").unlink()
    (tmp_path / "references" / "d" / "d_2.png").unlink()
    with pytest.raises(LimnerError, match="holds no picture"):
        published.run(small_set("ffhq-ref-severe"), Request(tmp_path), {"refldm": way})


def test_each_face_has_its_point_of_the_grid(tmp_path):
    pictures(tmp_path / "truth", NAMES)
    published.run(small_set("difface-grid"), Request(tmp_path, output=tmp_path / "out"), {"darker": darker})
    made = grid_point(2, named_generator("c.png", "difface-grid"), 32, 32)
    expected = apply(picture_of(tmp_path / "truth" / "c.png"), made)
    np.testing.assert_array_equal(picture_of(tmp_path / "out" / "input" / "c.png"), expected)
    what = Asked(
        tmp_path / "out" / "truth",
        tmp_path / "out" / "truth",
        inputs=tmp_path / "out" / "input",
        degradation=str(tmp_path / "out" / "degradation.json"),
    )
    summary, _ = evaluate_folder(what, tmp_path / "again")
    assert (summary.figures["consistency"] == np.inf).all()


def without_seconds(file):
    """A summary as JSON, but for what a clock said."""
    told = json.loads(file.read_text())
    del told["estimates"]["seconds"], told["figures"]["seconds"]
    return told


def test_a_killed_run_goes_on_to_the_same_table(tmp_path):
    pictures(tmp_path / "truth", NAMES)
    pictures(tmp_path / "input", NAMES, seed=1)
    asked = []

    def stopping(case, number):
        asked.append(number)
        if len(asked) == 4:  # the first one warms up
            raise KeyboardInterrupt
        return darker(case, number)

    whole = published.run(small_set("celeba-test"), Request(tmp_path, output=tmp_path / "whole"), {"way": darker})
    with pytest.raises(KeyboardInterrupt):
        published.run(small_set("celeba-test"), Request(tmp_path, output=tmp_path / "killed"), {"way": stopping})
    again = published.run(small_set("celeba-test"), Request(tmp_path, output=tmp_path / "killed"), {"way": stopping})
    assert asked == [0, 0, 1, 2, 2, 2, 3], "warmed up again, and none restored twice"
    for one, other in zip(again.rows, whole.rows, strict=True):
        assert {**one.figures, "seconds": 0} == {**other.figures, "seconds": 0}
    for row in ("input", "way"):
        mine, theirs = (without_seconds(tmp_path / run / row / "summary.json") for run in ("killed", "whole"))
        assert mine == theirs


def test_memory_does_not_grow_with_the_pictures(tmp_path):
    side, peaks = 256, []
    for count in (10, 40):
        names, data = [f"face{number:02d}" for number in range(count)], tmp_path / str(count)
        pictures(data / "truth", names, side)
        pictures(data / "input", names, side, seed=1)
        tracemalloc.start()
        own = replace(small_set("celeba-test", count), size=side)
        published.run(own, Request(data, output=data / "out"), {"darker": darker})
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 2 * side * side * 3, "thirty pairs more take less than one pair more"
