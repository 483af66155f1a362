"""Figures and vectors on disk: a killed run leaves a table that goes on."""

import numpy as np
import pytest

from limner.errors import LimnerError
from limner.evaluate.measured import TABLE, Measured


def filled(folder, names="abc"):
    measured = Measured.open(folder, ["psnr"], {"net": 2})
    for place, name in enumerate(names):
        measured.add(name, {"psnr": place + 0.25}, {"net": (np.array([place, 1]), np.array([place, 2]))})
    return measured


def test_what_is_added_is_there_and_in_order(tmp_path):
    filled(tmp_path)
    again = Measured.open(tmp_path, ["psnr"], {"net": 2})
    assert again.names == ["a", "b", "c"]
    assert again.figures()["psnr"].tolist() == [0.25, 1.25, 2.25]
    ours, theirs = again.vectors("net")
    assert ours.tolist() == [[0, 1], [1, 1], [2, 1]] and theirs.tolist() == [[0, 2], [1, 2], [2, 2]]


@pytest.mark.parametrize("cut", [1, 3])
def test_a_line_that_was_not_finished_is_dropped_with_its_vectors(tmp_path, cut):
    filled(tmp_path)
    table = tmp_path / TABLE
    table.write_bytes(table.read_bytes()[:-cut])
    again = Measured.open(tmp_path, ["psnr"], {"net": 2})
    assert again.names == ["a", "b"] and len(again.vectors("net")[0]) == 2
    again.add("c", {"psnr": 9.0}, {"net": (np.array([7, 7]), np.array([8, 8]))})
    assert again.vectors("net")[1].tolist()[-1] == [8, 8]
    assert Measured.open(tmp_path, ["psnr"], {"net": 2}).figures()["psnr"].tolist() == [0.25, 1.25, 9.0]


def test_names_may_hold_commas_and_line_breaks(tmp_path):
    filled(tmp_path, ["a,b", 'quoted "name"', "ü"])
    assert Measured.open(tmp_path, ["psnr"], {"net": 2}).names == ["a,b", 'quoted "name"', "ü"]


def test_other_figures_and_missing_vectors_are_refused(tmp_path):
    measured = filled(tmp_path)
    with pytest.raises(LimnerError, match="holds other figures than are asked for"):
        Measured.open(tmp_path, ["ssim"], {"net": 2})
    measured.vector_file("net").unlink()
    with pytest.raises(LimnerError, match="is shorter than"):
        Measured.open(tmp_path, ["psnr"], {"net": 2})


def test_pictures_that_are_not_asked_for_are_refused(tmp_path):
    measured = filled(tmp_path, ["a", "b"])
    measured.check_names(["a", "b", "c"])
    with pytest.raises(LimnerError, match="holds pictures that are not asked for, such as b"):
        measured.check_names(["a", "c"])


def test_nothing_measured_has_no_vectors(tmp_path):
    ours, theirs = Measured.open(tmp_path, ["psnr"], {"net": 2}).vectors("net")
    assert ours.shape == theirs.shape == (0, 2)
