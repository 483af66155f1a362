"""`limner compare` and what it prints."""

import json

import numpy as np

from limner.evaluate.intervals import mean_interval
from limner.evaluate.summary import Summary


def saved(path, row, psnr):
    figures = {"psnr": np.asarray(psnr, float)}
    names = tuple(str(place) for place in range(len(psnr)))
    Summary(row, {}, names, figures, {"psnr": mean_interval(figures["psnr"])}).save(path)
    return path


def test_differences_are_told_with_the_pictures_that_they_are_told_from(run, tmp_path):
    ours = saved(tmp_path / "a.json", "ours", [25.0, 26.1, 27.2, 26.1, np.inf])
    theirs = saved(tmp_path / "b.json", "theirs", [24.0, 25.0, 26.0, 25.0, 24.0])
    code, out, err = run("compare", ours, theirs, "--json")
    assert code == 0, err
    (told,) = json.loads(out)
    assert told["pictures"] == 4 and told["paired"] and abs(told["difference"]["value"] - 1.1) < 0.03
    code, out, _ = run("compare", ours, theirs)
    assert code == 0 and out.split()[-2:] == ["4", "yes"] and "theirs" in out
    code, _, err = run("compare", ours, tmp_path / "none.json")
    assert code != 0 and "can't be read" in " ".join(err.split())
