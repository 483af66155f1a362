"""What came out is saved, read again, and held against another."""

import numpy as np
import pytest

from limner.errors import LimnerError
from limner.evaluate.intervals import Interval, mean_interval
from limner.evaluate.summary import Summary, compare


def summary(names, psnr, frechet=Interval(10, 9, 11)):
    figures = {"psnr": np.asarray(psnr, float)}
    estimates = {"psnr": mean_interval(figures["psnr"]), "frechet": frechet}
    return Summary("row", {"limner": "0"}, tuple(names), figures, estimates)


def test_it_is_read_as_it_was_saved(tmp_path):
    one = summary("abcd", [1, 2, 3, np.inf])
    one.save(tmp_path / "summary.json")
    again = Summary.read(tmp_path / "summary.json")
    assert again.names == one.names and again.row == one.row and again.facts == one.facts
    assert again.figures["psnr"].tolist()[:3] == [1, 2, 3] and np.isnan(again.figures["psnr"][3])
    assert again.estimates["frechet"] == one.estimates["frechet"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"kind": "limner-evaluation", "names": 3}', '{"kind": 1}'])
def test_what_is_no_summary_is_refused(tmp_path, text):
    path = tmp_path / "summary.json"
    path.write_text(text)
    with pytest.raises(LimnerError, match="is no summary of an evaluation"):
        Summary.read(path)
    with pytest.raises(LimnerError, match="can't be read"):
        Summary.read(tmp_path / "none.json")


def test_differences_are_paired_by_name():
    ours = summary("abcd", [1.1, 5.1, 9.2, 2.1])
    theirs = summary("cbad", [9, 5, 1, 2])
    psnr = compare(ours, theirs)[0]
    assert psnr.paired and psnr.difference.excludes_zero
    np.testing.assert_allclose(psnr.difference.value, 0.5 / 4, atol=1e-12)


def test_figures_of_sets_are_told_apart_by_their_own_intervals():
    near, far = (summary("abc", [1, 2, 3], Interval(x, x - 1, x + 1)) for x in (11, 14))
    base = summary("abc", [1, 2, 3])
    told = [compare(other, base)[1] for other in (near, far)]
    assert [one.difference.excludes_zero for one in told] == [False, True]
    assert not told[0].paired


def test_nothing_in_common_is_told():
    with pytest.raises(LimnerError, match="share no picture"):
        compare(summary("ab", [1, 2]), summary("cd", [1, 2]))
