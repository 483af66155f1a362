"""What the worker does with a photograph, and what it tells of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from limner.page.restoring import (
    Limits,
    Restorers,
    TooLarge,
    in_work,
    opened,
    restore,
    save,
    with_picks,
    without_folder,
)
from limner.page.work import Job, Work
from limner.photo.photo import Photo
from limner.settings import Settings

FAST = Settings(options={"steps": 2, "start": 200}, samples=2, threads=1, dtype="fp32", seed=3)


class Told(Job):
    """A job that keeps what it is told."""

    def __init__(self):
        super().__init__(Work())
        self.texts: list[str] = []

    def tell(self, text, share=None):
        self.texts.append(text)
        super().tell(text, share)


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> Path:
    face = astronaut()[:320, 60:380]
    path = tmp_path_factory.mktemp("pair") / "pair.png"
    Image.fromarray(np.concatenate([face, face[:, ::-1]], axis=1)).save(path)
    return path


@pytest.mark.slow
def test_each_face_gets_the_sample_that_is_wanted(pair):
    """What is put back is that sample exactly, and of each face its own."""
    restorers, job = Restorers(Limits()), Told()
    photo, done = restore(job, pair, FAST, restorers, faces=2)
    kept = restorers.of(FAST)
    assert len(done.faces) == 2 and restorers.of(replace(FAST, faces=[0])) is kept
    assert job.texts[:3] == [f"pair.png: {what}" for what in ("opening", "getting ready", "looking for faces")]
    assert "pair.png: faces 1 to 2 of 2" in job.texts and job.texts[-1] == "pair.png: putting the faces back"
    first, second = (one.pixels for one in done.photos)
    restorers.of(FAST)
    for sample, whole in enumerate((first, second)):
        np.testing.assert_array_equal(with_picks(kept, photo, done, [sample] * 2).photos[0].pixels, whole)
    mixed = with_picks(kept, photo, done, [0, 1])
    left = int(done.faces[0].box[0] < done.faces[1].box[0])
    halves = [slice(None, 320), slice(320, None)]
    for place, whole in enumerate((first, second)):
        half = halves[place if left else 1 - place]
        np.testing.assert_array_equal(mixed.photos[0].pixels[:, half], whole[:, half])
    assert (first != second).any() and mixed.provenance and mixed.provenance.faces == 2


@pytest.mark.parametrize(
    ("share", "faces", "samples", "at_once", "text"),
    [
        (0, 3, 1, 1, "face 1 of 3"),
        (0.5, 3, 1, 1, "face 2 of 3"),
        (0.99, 3, 1, 1, "face 3 of 3"),
        (0.2, 5, 1, 4, "faces 1 to 4 of 5"),
        (0.8, 5, 1, 4, "face 5 of 5"),
        (0.3, 2, 4, 4, "face 1 of 2"),
        (0.25, None, 1, 4, "25% of its faces"),
    ],
)
def test_progress_names_the_faces(share, faces, samples, at_once, text):
    assert in_work(share, faces, samples, at_once) == text


def test_a_photo_of_too_many_pixels_is_refused_by_its_name(tmp_path):
    Image.new("RGB", (400, 300)).save(tmp_path / "large.jpg")
    with pytest.raises(TooLarge, match=r"^large.jpg has 0 megapixels, and 0.1 are the most that are taken here: make"):
        opened(tmp_path / "large.jpg", Limits(megapixels=0.1))
    assert opened(tmp_path / "large.jpg", Limits()).pixels.shape == (300, 400, 3)


@pytest.mark.parametrize(
    ("name", "saved"), [("a.JPG", "a_restored.JPG"), ("a.png", "a_restored.png.jpg"), ("a", "a_restored.jpg")]
)
def test_a_result_is_in_the_format_of_its_photo_whatever_that_is_called(tmp_path, name, saved):
    source = tmp_path / name
    Image.new("RGB", (40, 30)).save(source, "JPEG")
    file, lost = save(Photo.open(source), None, source, tmp_path / "result")
    assert file == tmp_path / "result" / saved and lost == ()
    assert Image.open(file).format == "JPEG"


def test_nothing_comes_back_of_a_folder_that_is_gone(tmp_path):
    photo = Photo(np.zeros((4, 4, 3), np.uint8), "PNG")
    with pytest.raises(OSError):
        save(photo, None, tmp_path / "a.png", tmp_path / "gone" / "result")


def test_sentences_name_photos_without_their_folders(tmp_path):
    sentence = f"{tmp_path}/0/photo/old one.jpg is a damaged JPEG."
    assert without_folder(sentence, tmp_path) == "old one.jpg is a damaged JPEG."
