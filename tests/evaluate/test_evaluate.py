"""Anybody's pictures, measured by whatever is known of them."""

import json
import tracemalloc

import numpy as np
import pytest

from limner.degrade.degrade import apply
from limner.errors import LimnerError
from limner.evaluate import evaluate as module
from limner.evaluate.evaluate import Asked, evaluate_folder
from limner.evaluate.known_degradations import KnownDegradations
from limner.evaluate.picture_files import picture_of
from limner.photo.write import save_png

from .sets import pictures, small_measures

NAMES = ("ann_1", "ann_2", "bob_1", "bob_2", "cy_1", "cy_2")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    small_measures(monkeypatch)


def test_against_truths(tmp_path):
    what = Asked(pictures(tmp_path / "r", NAMES, seed=1), pictures(tmp_path / "t", NAMES))
    summary, defined = evaluate_folder(what, tmp_path / "out")
    keys = ["psnr", "colour", "colour_degrees", "colour_rank1", "frechet", "kernel"]
    assert list(summary.estimates) == keys == [one.key for one in defined]
    assert summary.facts["pictures"] == 6 and summary.facts["against"].endswith("t")
    same, _ = evaluate_folder(Asked(what.against, what.against), tmp_path / "same")
    assert same.estimates["colour_rank1"].value == 1 and same.estimates["frechet"].value == pytest.approx(0, abs=1e-3)


def test_without_truths_against_photographs(tmp_path):
    restored, real = pictures(tmp_path / "r", NAMES), pictures(tmp_path / "real", [f"p{n}" for n in range(9)], side=48)
    inputs = pictures(tmp_path / "i", NAMES, side=16, seed=2)
    summary, _ = evaluate_folder(Asked(restored, real=real, inputs=inputs), tmp_path / "out")
    assert list(summary.estimates) == ["colour_input", "frechet_real", "kernel_real"]
    assert summary.facts["photographs"] == 9 and np.isfinite(summary.estimates["frechet_real"].value)
    pictures(tmp_path / "other", ["q1", "q2", "q3", "q4"])
    with pytest.raises(LimnerError, match="holds vectors of p0, which .*other lacks"):
        evaluate_folder(Asked(restored, real=tmp_path / "other", inputs=inputs), tmp_path / "out")


def test_other_photographs_of_the_person(tmp_path):
    faces = pictures(tmp_path / "faces", NAMES)
    summary, _ = evaluate_folder(Asked(faces, faces, references=faces), tmp_path / "out")
    told = dict(zip(summary.names, summary.figures["colour_person"], strict=True))
    ann = [picture_of(faces / f"ann_{n}.png").mean(axis=(0, 1)) for n in (1, 2)]
    assert told["ann_1"] == pytest.approx(ann[0] @ ann[1] / np.linalg.norm(ann[0]) / np.linalg.norm(ann[1]), abs=1e-4)
    assert told["ann_1"] == pytest.approx(told["ann_2"])


def test_consistency_with_a_known_degradation(tmp_path):
    truths, inputs = pictures(tmp_path / "t", NAMES), tmp_path / "i"
    inputs.mkdir()
    for name in NAMES:
        made = KnownDegradations("gfpgan").of(name, f"{name}.png", 32, 32)
        save_png(inputs / f"{name}.png", apply(picture_of(truths / f"{name}.png"), made))
    summary, _ = evaluate_folder(Asked(truths, truths, inputs=inputs, degradation="gfpgan"), tmp_path / "out")
    assert (summary.figures["consistency"] == np.inf).all()
    other = Asked(truths, truths, inputs=inputs, degradation="ffhq-ref-severe")
    with pytest.raises(LimnerError, match=r"ann_1.png wasn't made from its truth by ffhq-ref-severe"):
        evaluate_folder(other, tmp_path / "other")


def test_given_landmarks(tmp_path):
    faces = pictures(tmp_path / "faces", NAMES)
    points = np.array([[8, 10], [24, 10], [16, 16], [10, 22], [22, 22]], float)
    for file, shift in (("true.csv", 0), ("restored.csv", 1)):
        lines = [f"{name}.jpg," + ",".join(map(str, (points + shift).ravel())) for name in NAMES]
        (tmp_path / file).write_text("file," + ",".join("abcdefghij") + "\n" + "\n".join(lines))
    tables = (tmp_path / "true.csv", tmp_path / "restored.csv")
    summary, _ = evaluate_folder(Asked(faces, faces, landmarks=tables), tmp_path / "out")
    assert summary.estimates["given_landmarks"].value == pytest.approx(16 * np.sqrt(2))


def test_a_killed_run_goes_on_to_the_same_table(tmp_path):
    what = Asked(pictures(tmp_path / "r", NAMES, seed=1), pictures(tmp_path / "t", NAMES), references=tmp_path / "t")
    whole, _ = evaluate_folder(what, tmp_path / "whole")

    def stop(done, total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate_folder(what, tmp_path / "killed", stop)
    told = []
    again, _ = evaluate_folder(what, tmp_path / "killed", lambda done, total: told.append(done))
    assert told == [4, 5, 6] and again.as_json() == whole.as_json()
    assert json.loads((tmp_path / "killed" / module.SUMMARY).read_text()) == json.loads(json.dumps(whole.as_json()))


def test_nothing_to_hold_them_against(tmp_path):
    with pytest.raises(LimnerError, match="give --against TRUTH, --real PHOTOGRAPHS or --inputs"):
        Asked(tmp_path)
    with pytest.raises(LimnerError, match="give them by --inputs"):
        Asked(tmp_path, tmp_path, degradation="gfpgan")


def test_a_report_lies_beside_the_figures(tmp_path):
    faces = pictures(tmp_path / "faces", NAMES)
    other = pictures(tmp_path / "other", NAMES, seed=1)
    evaluate_folder(Asked(other, faces), tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {
        "pictures.csv",
        "summary.json",
        "report.html",
        "report.md",
    }
    before = {path.name for path in tmp_path.iterdir()}
    evaluate_folder(Asked(other, faces), None)
    assert {path.name for path in tmp_path.iterdir()} == before


def test_figures_of_other_pictures_are_refused(tmp_path):
    faces = pictures(tmp_path / "faces", NAMES)
    evaluate_folder(Asked(faces, faces), tmp_path / "out")
    (faces / "cy_1.png").unlink()
    with pytest.raises(LimnerError, match="not asked for, such as cy_1"):
        evaluate_folder(Asked(faces, faces), tmp_path / "out")


def test_memory_does_not_grow_with_the_pictures(tmp_path):
    side, peaks = 256, []
    for count in (10, 40):
        names = [f"face{number:02d}" for number in range(count)]
        folder = tmp_path / str(count)
        what = Asked(pictures(folder / "r", names, side, seed=1), pictures(folder / "t", names, side))
        tracemalloc.start()
        evaluate_folder(what, folder / "out")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert (folder / "out" / "report.html").stat().st_size < 6_000_000
    assert peaks[1] < peaks[0] + 2 * side * side * 3, "thirty pairs more take less than one pair more"
