"""The table of a run of `harm`, of summaries whose figures are known."""

import sys

import numpy as np
import pytest

from limner.errors import LimnerError
from limner.evaluate import harm_table
from limner.evaluate.summary import Summary

NAMES = ("a", "b", "c", "d")


def saved(folder, row, psnr, names=NAMES, **figures):
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {key: np.array(values, float) for key, values in {"psnr": psnr, **figures}.items()}
    Summary(row, {}, names, arrays, {}).save(folder / "summary.json")


@pytest.fixture
def run(tmp_path):
    undamaged, blurred = tmp_path / "nothing-256", tmp_path / "blur-1-px-256"
    saved(undamaged / "input", "input", [np.inf] * 4, dlib=[1, 1, 1, 1])
    saved(undamaged / "difface", "difface", [50, 52, np.inf, 48], dlib=[0.9, 1, 1, 0.9])
    saved(blurred / "input", "input", [30, 31, 32, 33], dlib=[0.5] * 4, perceptual=[100, 110, 120, 130])
    saved(blurred / "difface", "difface", [31, 33, 32, 32.5], dlib=[0.75] * 4, perceptual=[90, 100, 110, 120])
    saved(blurred / "waifu2x", "waifu2x", [33.25, 29], names=("d", "a"), dlib=[0.5, 0.25])
    return tmp_path


def test_each_row_is_held_against_the_input_of_the_same_faces(run):
    heading, _, *lines = [line.strip("| ").split(" | ") for line in harm_table.table(run).splitlines()]
    rows = {(line[0], line[2]): dict(zip(heading, line, strict=True)) for line in lines}
    assert list(rows) == [
        *(("nothing", "input"), ("nothing", "`difface`")),
        *(("blur 1 px", "input"), ("blur 1 px", "`difface`"), ("blur 1 px", "`waifu2x`")),
    ]
    same, ours = rows["nothing", "input"], rows["nothing", "`difface`"]
    assert (same["PSNR dB"], same["worst"], same["dlib"]) == ("–", "–", "1.000")
    assert (ours["PSNR dB"], ours["worst"]) == ("50.00", "48.00"), "of the three that differ from the truth"
    assert ours["dlib"].startswith("−0.050 ± 0.0")
    before, ours, theirs = (rows["blur 1 px", row] for row in ("input", "`difface`", "`waifu2x`"))
    assert before["PSNR dB"].startswith("31.5 ± ") and before["perceptual"] == "115" and before["HOG"] == "–"
    assert ours["PSNR dB"].startswith("+0.62 ± ") and ours["worst"] == "−0.50"
    assert (ours["perceptual"], ours["dlib"]) == ("−10 ± 0", "+0.250 ± 0.000")
    assert (theirs["faces"], theirs["PSNR dB"], theirs["worst"]) == ("2", "−0.38", "−1.00"), "of two no interval"
    assert (theirs["perceptual"], theirs["dlib"]) == ("–", "−0.125")


def test_what_is_no_run_is_told(run, tmp_path, monkeypatch, capsys):
    with pytest.raises(LimnerError, match="holds no figures of the protocol harm"):
        harm_table.table(tmp_path / "nowhere")
    saved(run / "nothing-256" / "other", "other", [40], names=("z",), dlib=[1])
    with pytest.raises(LimnerError, match="other has z under nothing, which the input lacks"):
        harm_table.table(run)
    monkeypatch.setattr(sys, "argv", ["harm_table", str(tmp_path / "nowhere")])
    with pytest.raises(SystemExit):
        harm_table.main()
    assert "holds no figures of the protocol harm" in capsys.readouterr().err
