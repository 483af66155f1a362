"""The album that workers look for is the one that one process makes."""

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image
from skimage.data import astronaut

from limner.album.store import Album
from limner.cluster.look import LookJob, looks_of
from limner.errors import LimnerError
from limner.settings import Settings


@pytest.fixture
def folder(tmp_path) -> Path:
    """Faces, one of them twice, and a broken file."""
    folder = tmp_path / "photos"
    folder.mkdir()
    face = Image.fromarray(astronaut()[:300, 80:380])
    for number in range(4):
        face.resize((120 + 8 * number,) * 2).save(folder / f"{number}.jpg")
    shutil.copy(folder / "0.jpg", folder / "again.jpg")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no")
    return folder


def known() -> list:
    """All that the album knows."""
    with Album() as album:
        people = album.ask("SELECT * FROM people ORDER BY id")
        return [*people, *album.ask("SELECT * FROM photos ORDER BY id"), *album.ask("SELECT * FROM faces ORDER BY id")]


@pytest.mark.slow
def test_an_album_by_two_workers_is_that_of_one_process(two_cpus, run, folder, tmp_path, monkeypatch):
    told = {}
    for album, more in {"alone": ("--threads", "1"), "two": ("--engine", "ray")}.items():
        monkeypatch.setenv("LIMNER_ALBUM", str(tmp_path / f"{album}.sqlite"))
        code, out, err = run("album", "index", folder, *more)
        assert code == 0 and "broken.jpg is not a picture" in err
        first = known()
        os.rename(folder / "1.jpg", folder / "moved.jpg")
        code, again, _ = run("album", "index", folder, *more)
        os.rename(folder / "moved.jpg", folder / "1.jpg")
        told[album] = (out, first, again, known())
    assert told["alone"] == told["two"] and len(told["alone"][1]) > 8
    assert "5 new, 1 copies" in told["two"][0] and "1 moved" in told["two"][2]


def test_where_nothing_is_new_no_worker_is_started():
    assert list(looks_of("local", LookJob(Settings(), 100.0), iter(()))) == []


def test_a_photo_that_ends_workers_has_a_problem(tmp_path):
    job = LookJob(Settings(), 100.0, (tmp_path / "a.jpg",))
    number, look = job.lost((7, tmp_path / "a.jpg"), 3)
    assert number == 7 and look.problem and look.problem.startswith(f"{tmp_path}/a.jpg ended 3 workers")
    with pytest.raises(LimnerError, match="isn't seen here"):
        job.begin()
