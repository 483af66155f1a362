"""How far a restoration has come, and calling it off."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from skimage.data import astronaut

from limner import Cancelled, Photo, Restorer, Settings, restore
from limner.folder.find import find_photos
from limner.folder.run import restore_all
from limner.folder.targets import targets_of
from limner.progress import Asked

FAST = Settings(options={"steps": 2}, finish=0, threads=1, dtype="fp32")


class CalledOff:
    """Calls the restoration off when it is asked for the n-th time; counts how often it was asked."""

    def __init__(self, at: int | None = None):
        self.at, self.asked = at, list[tuple[int, int]]()

    def __call__(self, done: int, total: int) -> None:
        self.asked.append((done, total))
        if len(self.asked) == self.at:
            raise Cancelled


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return np.ascontiguousarray(astronaut()[:300, 80:380])


def test_the_callback_is_asked_again_where_no_net_runs():
    told = CalledOff()
    asked = Asked(told)
    asked.again()
    assert told.asked == []
    asked(3, 4)
    asked.again()
    assert told.asked == [(3, 4), (3, 4)]
    Asked(None)(1, 2)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["difface", "refldm"])
def test_a_restoration_that_is_called_off_leaves_the_restorer_as_it_was(method, portrait):
    references = [Photo.of(portrait[:, ::-1].copy())] if method == "refldm" else []
    restorer = Restorer(replace(FAST, method=method, references=references, finish=None))
    counted = CalledOff()
    whole = restorer.restore(portrait, counted).photo.pixels
    assert counted.asked[-1] == counted.asked[-2], "asked once more before the face is put back"
    assert [done for done, _ in counted.asked] == sorted(done for done, _ in counted.asked)
    for at in range(1, len(counted.asked) + 1):
        with pytest.raises(Cancelled):
            restorer.restore(portrait, CalledOff(at))
    np.testing.assert_array_equal(restorer.restore(portrait).photo.pixels, whole)


@pytest.mark.slow
def test_of_a_restoration_that_is_called_off_nothing_is_written(portrait, tmp_path):
    Photo.of(portrait).save(tmp_path / "a.png")
    with pytest.raises(Cancelled):
        restore(tmp_path / "a.png", tmp_path / "restored.png", FAST, progress=CalledOff(2))
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.slow
def test_calling_off_ends_a_run_over_a_folder(portrait, tmp_path):
    (tmp_path / "in").mkdir()
    for name in "ab":
        Photo.of(portrait).save(tmp_path / "in" / f"{name}.png")
    targets = targets_of(find_photos([tmp_path / "in"]), tmp_path / "out")
    counted, restorer = CalledOff(), Restorer(FAST)
    run = restore_all(restorer, targets[:1], progress=counted)
    assert [outcome.error for outcome in run] == [None]
    called_off = CalledOff(2)
    with pytest.raises(Cancelled):
        list(restore_all(restorer, targets[1:], progress=called_off))
    assert written(tmp_path / "out") == ["a.png"]


def written(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


@pytest.mark.slow
def test_another_error_of_the_callback_comes_through(portrait):
    def broken(done: int, total: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        restore(portrait, settings=FAST, progress=broken)
