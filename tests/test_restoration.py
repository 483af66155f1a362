"""One line, or three with a restorer that is kept: from whatever holds a photograph to whatever holds the result."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

import limner
from limner import LimnerError, Photo, PhotoError, Restoration, Restorer, Settings, find_faces, restore
from limner.photo.provenance import read

FAST = Settings(options={"steps": 1}, finish=0, threads=1, dtype="fp32")


@pytest.fixture(scope="module")
def restorer() -> Restorer:
    return Restorer(FAST)


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return np.ascontiguousarray(astronaut()[:300, 80:380])


@pytest.fixture(scope="module")
def done(restorer, portrait) -> Restoration:
    return restorer.restore(portrait)


@pytest.mark.slow
def test_a_path_a_picture_an_array_and_a_photo_give_the_same(restorer, portrait, done, tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(portrait).save(path)
    pictures = [path, str(path), Image.open(path), Photo.open(path)]
    assert len(done.faces) == 1 and (done.photo.pixels != portrait).any()
    for picture in pictures:
        np.testing.assert_array_equal(restorer.restore(picture).photo.pixels, done.photo.pixels)
    np.testing.assert_array_equal(restore(Image.fromarray(portrait), settings=FAST).photo.image(), done.photo.pixels)


@pytest.mark.slow
def test_one_line_from_file_to_file(portrait, done, tmp_path):
    Image.fromarray(portrait).save(tmp_path / "old.png")
    told = restore(tmp_path / "old.png", tmp_path / "restored.png", FAST)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "restored.png")), done.photo.pixels)
    assert told.provenance and told.provenance.source
    assert read(tmp_path / "restored.png") == told.provenance


@pytest.mark.slow
def test_a_restoration_saves_itself_and_notes_what_has_no_room(restorer, portrait, tmp_path):
    done = restorer.restore(Photo(portrait, "PNG", words=(("Title", "a portrait"),)))
    done.save(tmp_path / "a.bmp")
    assert any("BMP" in note for note in done.notes)
    before = list(done.notes)
    done.save(tmp_path / "b.bmp")
    assert done.notes == before, "each sentence once"


@pytest.mark.slow
def test_crops_and_faces_are_reachable(restorer, portrait, done):
    (face,), (aligned,), (crop,) = done.faces, done.aligned, done.crops
    assert face.score > 0.9 and face.landmarks.shape == (5, 2)
    assert aligned.shape == (256, 256, 3) and aligned.dtype == np.uint8
    assert crop.samples[0].shape == (256, 256, 3) and 0 <= crop.samples[0].min() <= crop.samples[0].max() <= 1
    assert crop.on_the_way["estimate"].shape == (256, 256, 3)
    (found,) = find_faces(portrait)
    np.testing.assert_array_equal(found.landmarks, face.landmarks)
    (again,) = restorer.restore_crops([aligned])
    np.testing.assert_array_equal(again.samples[0], crop.samples[0])


def test_what_cannot_be_written_is_told_before_anything_is_restored(tmp_path, monkeypatch):
    monkeypatch.setattr("limner.restorer.Restorer", None)
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    with pytest.raises(PhotoError, match="is the input itself, which limner never changes"):
        restore(tmp_path / "a.png", tmp_path / "a.png")
    with pytest.raises(PhotoError, match="no.txt"):
        restore(tmp_path / "a.png", tmp_path / "no.txt")
    with pytest.raises(PhotoError, match="A photo can't be made of list"):
        restore([0, 1])  # pyright: ignore


@pytest.mark.slow
def test_crops_that_are_none_are_told(restorer):
    crop = np.zeros((256, 256, 3), np.uint8)
    with pytest.raises(LimnerError, match="2 crops need 2 numbers of faces, not 1."):
        restorer.restore_crops([crop, crop], [0])
    with pytest.raises(LimnerError, match=r"not \(256, 256, 3\) in float64"):
        restorer.restore_crops([crop / 255])


@pytest.mark.slow
def test_a_face_that_is_not_there_is_told(portrait):
    with pytest.raises(LimnerError, match=r"There is no face 3: the photo has 1, face 0\."):
        restore(portrait, settings=Settings(faces=[3]))


def test_all_that_is_public_is_there():
    assert all(getattr(limner, name).__name__ == name for name in limner.__all__)
    assert limner.__all__ == sorted(limner.__all__)
    assert set(limner.__all__) <= set(limner._HOME) and Path(limner.__file__).parent.joinpath("py.typed").is_file()
    assert "limner.restorer" in sys.modules
