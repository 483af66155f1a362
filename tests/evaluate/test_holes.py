"""Filling of holes, measured: the truth is best, what is known must stay, and the command prints every line."""

import numpy as np
import pytest

from limner.data.faces import FaceSet
from limner.evaluate.holes import MEASURED, Line, gain, main, measure


@pytest.fixture(scope="module")
def faces(shared):
    return FaceSet.open(shared / "faces", "val").first(1)


def test_the_truth_has_no_distance_and_grey_has_much(faces):
    truth = faces.image(0, 64)
    ways = {
        "truth": lambda face, mask: truth,
        "grey": lambda face, mask: np.where(mask[..., None] > 0, 128, face).astype(np.uint8),
    }
    lines = list(measure(faces, ways, 64))
    assert [line.kind for line in lines[::2]] == ["box", "irregular", "expand", "half", "scratch"]
    for best, worse in zip(lines[::2], lines[1::2], strict=True):
        assert best.psnr == np.inf and best.perceptual == 0 and best.efficientnet == 0
        assert worse.psnr < 25 and worse.perceptual > 0 and worse.efficientnet > 0


def test_what_is_known_must_stay(faces):
    with pytest.raises(AssertionError, match="careless changed what is known"):
        list(measure(faces, {"careless": lambda face, mask: np.zeros_like(face)}, 64))


def test_gains_are_over_the_better_one():
    lines = [
        Line("box", "Telea", 20, 0.4, 1),
        Line("box", "Navier-Stokes", 21, 0.5, 1),
        Line("box", "difface", 24, 0.3, 1),
    ]
    assert gain(lines, "box", "difface") == (3, pytest.approx(-0.25))


@pytest.mark.slow
def test_the_command_prints_every_line(shared, capsys, monkeypatch, tmp_path):
    sheet = tmp_path / "sheet.png"
    words = ["holes", "--data", str(shared / "faces"), "--split", "val", "--limit", "1", "--sheet", str(sheet)]
    monkeypatch.setattr("sys.argv", words)
    main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 * len(MEASURED) + 2 and sheet.is_file()
    assert lines[0].startswith("box: Telea: ") and lines[-1].startswith("difface against the better of OpenCV's two")
