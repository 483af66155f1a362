"""Who restores, looks or measures: this process unless another engine is asked for."""

from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from PIL import Image

from limner.cli.engine import looks, restoring, shared_out
from limner.cluster.restore import RestoreJob
from limner.evaluate.protocols import Request
from limner.folder.find import find_photos
from limner.folder.run import Saving
from limner.folder.targets import targets_of
from limner.settings import Settings

UNKNOWN = "There is no engine 'dask': --engine ray is this machine"


def test_an_unknown_engine_is_told_at_once(run, tmp_path):
    for words in (
        ("restore", tmp_path, "-o", tmp_path / "out"),
        ("album", "index", tmp_path),
        ("benchmark", "--data", tmp_path),
    ):
        code, _, err = run(*words, "--engine", "dask")
        assert code == 2 and UNKNOWN in err, words


def test_without_an_engine_this_process_restores(tmp_path):
    Image.fromarray(np.full((40, 40, 3), 9, np.uint8)).save(tmp_path / "wall.png")
    targets = targets_of(find_photos([tmp_path]), tmp_path / "out")
    with restoring(None, Settings(threads=1), Saving(), targets) as who:
        assert not who.elsewhere and who.weights == "mini"
        (outcome,) = who.restore_all(targets, None)
        assert outcome.restoration and who.restorer() is who.restorer()


def test_workers_look_for_a_photo_that_is_there(tmp_path, monkeypatch):
    seen = list[tuple[Path, ...]]()

    @contextmanager
    def workers(address: str, job: RestoreJob, most: int):
        seen.append(job.seen)
        yield SimpleNamespace(weights="mini")

    monkeypatch.setattr("limner.cluster.restore.workers", workers)
    for name in "abc":
        Image.fromarray(np.full((40, 40, 3), 9, np.uint8)).save(tmp_path / f"{name}.png")
    targets = targets_of(find_photos([tmp_path]), tmp_path / "out")
    (tmp_path / "a.png").unlink()
    with restoring("ray", Settings(), Saving(), targets, tmp_path / "manifest"):
        assert seen == [(tmp_path / "b.png", tmp_path / "manifest")]


def test_without_an_engine_nobody_else_looks_or_measures(tmp_path):
    assert looks(None, Settings(), 100.0) is None
    request = Request(tmp_path)
    assert shared_out(None, request, "limner-test", {}) is request


def test_clips_are_refused(run, tmp_path):
    code, _, err = run("restore", tmp_path / "film.mp4", "-o", tmp_path / "out.mp4", "--engine", "ray")
    assert code == 2 and "--engine: for photos alone, so leave it out." in err
