import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner.errors import LimnerError
from limner.folder.find import find_photos
from limner.folder.pictures import SidePictures
from limner.folder.run import Outcome, Saving, check_intermediate, restore_all
from limner.folder.targets import targets_of
from limner.restorer import Restorer, Settings


@pytest.fixture(scope="module")
def restorer():
    return Restorer(Settings(options={"steps": 1}, threads=1))


def picture(path: Path, value: int = 128) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((48, 64, 3), value, np.uint8)).save(path)
    return path


def run_all(restorer, source: Path, out: Path, saving: Saving | None = None) -> list[Outcome]:
    return list(restore_all(restorer, targets_of(find_photos([source], [out]), out), saving))


@pytest.mark.slow
def test_an_interrupted_run_goes_on_where_it_stopped(restorer, tmp_path):
    for name in "abc":
        picture(tmp_path / "in" / f"{name}.png")
    run = restore_all(restorer, targets_of(find_photos([tmp_path / "in"]), tmp_path / "out"))
    assert next(run).source.name == "a.png"
    run.close()
    again = run_all(restorer, tmp_path / "in", tmp_path / "out")
    assert [outcome.restoration is None for outcome in again] == [True, False, False]
    assert not [p for p in (tmp_path / "out").iterdir() if p.suffix != ".png"], "a temporary file was left"


@pytest.mark.slow
def test_a_faceless_photo_into_another_format_is_converted(restorer, tmp_path):
    source = picture(tmp_path / "wall.png")
    run_all(restorer, source, tmp_path / "wall.webp")
    assert Image.open(tmp_path / "wall.webp").format == "WEBP"


class Failing:
    """A restorer that meets an error at one photo."""

    def __init__(self, restorer: Restorer, name: str, error: Exception):
        self.restorer, self.name, self.error, self.settings = restorer, name, error, restorer.settings

    def __getattr__(self, name: str):
        return getattr(self.restorer, name)

    def restore(self, photo, progress=None, mask=None):
        if photo.path.name == self.name:
            raise self.error
        return self.restorer.restore(photo, progress)


@pytest.mark.slow
@pytest.mark.parametrize("error", [MemoryError("so large"), ValueError("odd"), RuntimeError("out"), KeyError("x")])
def test_no_photo_ends_the_run_whatever_happens(restorer, tmp_path, error):
    for number, name in enumerate("abc"):
        picture(tmp_path / "in" / f"{name}.png", 50 * number)
    failing = Failing(restorer, "b.png", error)
    outcomes = run_all(failing, tmp_path / "in", tmp_path / "out")
    assert [outcome.error is None for outcome in outcomes] == [True, False, True]
    told = f"{tmp_path / 'in' / 'b.png'} can't be restored: unexpected {type(error).__name__}: {error}"
    assert outcomes[1].error == told
    assert not outcomes[1].expected and sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "c.png"]


@pytest.mark.parametrize("size", [(2600, 2), (2, 2600), (1, 1), (4001, 1)])
def test_lines_and_dots_are_photos_without_a_face(restorer, tmp_path, size):
    Image.new("RGB", size).save(tmp_path / "line.png")
    (outcome,) = run_all(restorer, tmp_path / "line.png", tmp_path / "out")
    assert outcome.error is None and outcome.restoration is not None and outcome.restoration.faces == []


def test_every_failure_names_its_photo(restorer, tmp_path):
    picture(tmp_path / "in" / "wall.png")
    failing = Failing(restorer, "wall.png", LimnerError("There is no face 7: the photo has none."))
    (outcome,) = run_all(failing, tmp_path / "in", tmp_path / "out")
    assert outcome.error == f"{tmp_path / 'in' / 'wall.png'}: There is no face 7: the photo has none."


def test_a_size_that_the_format_cannot_hold_is_told_before_the_nets_run(restorer, tmp_path):
    Image.new("RGB", (9000, 10)).save(tmp_path / "wide.png")
    larger = Failing(restorer, "wide.png", AssertionError("the nets ran"))
    larger.settings = replace(restorer.settings, upscale=2)
    (outcome,) = run_all(larger, tmp_path / "wide.png", tmp_path / "wide.webp")
    assert (
        outcome.error is not None and "18000 x 20 pixels are more than the 16383 px a side that WEBP" in outcome.error
    )


def test_what_is_out_of_range_is_told_at_once():
    for words, message in (({"quality": 0}, "no quality 0"), ({"max_megapixels": float("nan")}, "limit of nan")):
        with pytest.raises(LimnerError, match=message):
            Saving(**words)


def test_temporary_files_of_dead_runs_are_swept(restorer, tmp_path):
    picture(tmp_path / "in" / "a.png")
    out = tmp_path / "out"
    out.mkdir()
    dead, living, mine = (out / name for name in (f".{'0' * 16}.part", f".{'a' * 16}.part", "download.part"))
    for path in (dead, living, mine):
        path.touch()
    for path in (dead, mine):
        os.utime(path, (0, 0))
    run_all(restorer, tmp_path / "in", out)
    assert not dead.exists() and living.exists() and mine.exists()


@pytest.mark.slow
def test_the_pictures_beside_a_result_are_made_when_they_are_missing(restorer, tmp_path, astronaut_file):
    words = (restorer, astronaut_file, tmp_path / "out")
    assert [outcome.kept for outcome in run_all(*words)] == [None]
    assert [outcome.kept is None for outcome in run_all(*words)] == [False]
    beside = SidePictures(maps=tmp_path / "maps", compared=tmp_path / "compared")
    assert [outcome.kept for outcome in run_all(*words, Saving(beside=beside))] == [None]
    assert [outcome.kept is None for outcome in run_all(*words, Saving(beside=beside))] == [False]


def test_what_is_made_on_the_way_is_saved(restorer, tmp_path, astronaut_file):
    saving = Saving(beside=SidePictures(intermediate=tmp_path / "way"))
    (outcome,) = run_all(restorer, astronaut_file, tmp_path / "out", saving)
    assert outcome.error is None
    name = f"{astronaut_file.name}_face0_estimate.png"
    assert [path.name for path in (tmp_path / "way").iterdir()] == [name], "with its suffix: x.jpg is not x.png"
    estimate = np.asarray(Image.open(tmp_path / "way" / name))
    assert estimate.shape == (256, 256, 3) and estimate.std() > 20


def test_a_method_that_makes_nothing_on_the_way_says_so(tmp_path):
    with pytest.raises(LimnerError) as error:
        check_intermediate("ldbfr", SidePictures(intermediate=tmp_path / "way"))
    assert str(error.value) == (
        "The method 'ldbfr' makes no picture before its result: choose difface or clrface, or leave out "
        "--save-intermediate."
    )


@pytest.fixture
def astronaut_file(tmp_path):
    from skimage.data import astronaut

    path = tmp_path / "astronaut.png"
    Image.fromarray(astronaut()[:288, 72:360]).save(path)
    return path


@pytest.mark.slow
def test_a_faceless_photo_is_cleaned_where_that_is_asked_for(tmp_path):
    source = picture(tmp_path / "wall.png")
    noisy = np.clip(128 + np.random.default_rng(0).normal(0, 9, (48, 64, 3)), 0, 255).astype(np.uint8)
    Image.fromarray(noisy).save(source)
    cleaning = Restorer(Settings(options={"steps": 1}, threads=1, background="clean"))
    (outcome,) = run_all(cleaning, source, tmp_path / "out")
    assert outcome.error is None
    assert np.asarray(Image.open(tmp_path / "out" / "wall.png")).std() < 0.6 * noisy.std()
