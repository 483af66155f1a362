from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner.errors import LimnerError
from limner.folder import Saving, outputs_for, photos_in, restore_all
from limner.restorer import Restorer, Settings


@pytest.fixture(scope="module")
def restorer():
    return Restorer(Settings(options={"steps": 1}, threads=1))


def picture(path: Path, value: int = 128) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((48, 64, 3), value, np.uint8)).save(path)
    return path


def test_finds_photographs_to_the_bottom(tmp_path):
    picture(tmp_path / "a.JPG")
    picture(tmp_path / "deep" / "er" / "b.png")
    (tmp_path / "notes.txt").write_text("x")
    assert [place for _, place in photos_in([tmp_path], tmp_path / "out")] == [Path("a.JPG"), Path("deep/er/b.png")]
    assert photos_in([tmp_path / "a.JPG"], tmp_path / "out") == [(tmp_path / "a.JPG", Path("a.JPG"))]


def test_results_inside_the_source_are_not_restored_again(tmp_path):
    picture(tmp_path / "a.png")
    picture(tmp_path / "out" / "a.png")
    assert [place for _, place in photos_in([tmp_path], tmp_path / "out")] == [Path("a.png")]
    assert len(photos_in([tmp_path], tmp_path)) == 2, (
        "in place: every photo is named, and then refused as its own result"
    )


def test_names_of_results(tmp_path):
    assert outputs_for(Path("x/a.jpg"), tmp_path, 1) == [tmp_path / "x/a.jpg"]
    assert outputs_for(Path("a.jpg"), tmp_path / "b.png", 1) == [tmp_path / "b.png"]
    assert [p.name for p in outputs_for(Path("a.jpg"), tmp_path, 2)] == ["a_1.jpg", "a_2.jpg"]
    (tmp_path / "folder.png").mkdir()
    assert outputs_for(Path("a.jpg"), tmp_path / "folder.png", 1) == [tmp_path / "folder.png" / "a.jpg"]


@pytest.mark.slow
def test_an_interrupted_run_goes_on_where_it_stopped(restorer, tmp_path):
    for name in "abc":
        picture(tmp_path / "in" / f"{name}.png")
    run = restore_all(restorer, photos_in([tmp_path / "in"], tmp_path / "out"), tmp_path / "out")
    assert next(run).source.name == "a.png"
    run.close()
    again = list(restore_all(restorer, photos_in([tmp_path / "in"], tmp_path / "out"), tmp_path / "out"))
    assert [outcome.restoration is None for outcome in again] == [True, False, False]
    assert not [p for p in (tmp_path / "out").iterdir() if p.suffix != ".png"], "a temporary file was left"


@pytest.mark.slow
def test_a_faceless_photo_into_another_format_is_converted(restorer, tmp_path):
    source = picture(tmp_path / "wall.png")
    list(restore_all(restorer, photos_in([source], tmp_path / "out"), tmp_path / "wall.webp"))
    assert Image.open(tmp_path / "wall.webp").format == "WEBP"


def test_two_photos_never_share_a_result(restorer, tmp_path):
    first, second = picture(tmp_path / "x" / "a.png"), picture(tmp_path / "y" / "a.png", 7)
    with pytest.raises(LimnerError, match=r"would both become .*a.png: give a folder for each"):
        list(restore_all(restorer, photos_in([first, second], tmp_path / "out"), tmp_path / "out"))
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_what_cannot_be_written_is_told(restorer, tmp_path):
    source = picture(tmp_path / "wall.png")
    (tmp_path / "file").write_text("in the way")
    (outcome,) = restore_all(restorer, photos_in([source], tmp_path / "out"), tmp_path / "file" / "deep")
    assert outcome.error is not None and "can't be written" in outcome.error


def test_messages(tmp_path):
    with pytest.raises(LimnerError, match=r"There is no file or folder .*gone: check the path"):
        photos_in([tmp_path / "gone"], tmp_path / "out")
    with pytest.raises(LimnerError, match=r"holds no photograph \(\.avif, \.bmp"):
        photos_in([tmp_path], tmp_path / "out")


def test_what_is_made_on_the_way_is_saved(restorer, tmp_path, astronaut_file):
    photos = photos_in([astronaut_file], tmp_path / "out")
    (outcome,) = restore_all(restorer, photos, tmp_path / "out", Saving(intermediate=tmp_path / "way"))
    assert outcome.error is None
    stem = astronaut_file.stem
    assert [path.name for path in (tmp_path / "way").iterdir()] == [f"{stem}_face0_estimate.png"]
    estimate = np.asarray(Image.open(tmp_path / "way" / f"{stem}_face0_estimate.png"))
    assert estimate.shape == (256, 256, 3) and estimate.std() > 20


def test_a_method_that_makes_nothing_on_the_way_says_so(tmp_path):
    photos = photos_in([picture(tmp_path / "a.png")], tmp_path / "out")
    with pytest.raises(LimnerError) as error:
        list(
            restore_all(
                Restorer(Settings(method="ldbfr")), photos, tmp_path / "out", Saving(intermediate=tmp_path / "way")
            )
        )
    assert str(error.value) == (
        "The method 'ldbfr' makes no picture before its result: choose difface or clrface, or leave out "
        "--save-intermediate."
    )
    assert not (tmp_path / "way").exists() and not (tmp_path / "out").exists()


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
    (outcome,) = restore_all(cleaning, photos_in([source], tmp_path / "out"), tmp_path / "out")
    assert outcome.error is None
    assert np.asarray(Image.open(tmp_path / "out" / "wall.png")).std() < 0.6 * noisy.std()


def test_maps_show_where_the_face_was_made_up(restorer, tmp_path):
    from skimage.data import astronaut

    Image.fromarray(astronaut()[:320, 60:380]).resize((64, 64)).resize((320, 320)).save(tmp_path / "a.jpg")
    photos = photos_in([tmp_path / "a.jpg"], tmp_path / "out")
    (outcome,) = restore_all(restorer, photos, tmp_path / "out", Saving(maps=tmp_path / "maps"))
    drawn = np.asarray(Image.open(tmp_path / "maps" / "a.jpg_invented.png")).astype(int)
    assert outcome.restoration is not None and drawn.shape == (320, 320, 3)
    red = drawn[..., 0] - drawn[..., 1] > 20
    assert red[100:200, 100:200].mean() > 0.3 and not red[:, :5].any()
