"""What the queue does for a window leaves the pictures that the page shows, and no photographs in memory."""

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from limner.faces.chosen import Chosen
from limner.faces.seen import SeenFace
from limner.page import steps
from limner.page.service import Service
from limner.page.session import OnePhoto, Sessions
from limner.page.work import Work
from limner.photo.provenance import digest_of, read
from limner.settings import Settings

FAST = Settings(options={"steps": 2, "start": 200}, samples=2, threads=1, dtype="fp32")


@pytest.mark.slow
def test_from_a_photo_to_another_sample_of_its_face():
    service, job = Service.open(FAST), Work().place()
    session = Sessions(service).of("one")
    file = service.new_folder() / "Anna.jpg"
    spoilt = Image.fromarray(astronaut()[:320, 60:380]).resize((64, 64)).resize((320, 320))  # so that samples differ
    spoilt.save(file, quality=95)
    one = session.taken(file)
    steps.look(job, one, Settings(), service.restorers)
    assert len(one.faces) == 1 and one.chosen == {0} and one.size == (320, 320)
    assert one.picture("before").is_file() and one.result is None

    steps.restore(job, one, FAST, service.restorers)
    result = one.result
    assert result and result.file.name == "Anna_restored.jpg" and result.picks == [0] and result.done.photos == []
    assert all(one.picture(what).is_file() for what in ("before", "after", "map"))
    assert all(steps.version_file(one, 0, sample).is_file() for sample in (0, 1))
    first, version = np.asarray(Image.open(result.file)), one.version

    steps.pick(job, one, 0, 1, service.restorers)
    assert one.result and one.result.picks == [1] and one.version == version + 1
    assert (np.asarray(Image.open(one.result.file)) != first).any()
    steps.pick(job, one, 0, 0, service.restorers)
    np.testing.assert_array_equal(np.asarray(Image.open(one.result.file)), first)
    service.close()


@pytest.mark.slow
def test_what_is_marked_is_filled_and_stays_so_with_another_sample(tmp_path):
    """Also when something else is marked meanwhile; the result says with which mask it was made."""
    service, job = Service.open(FAST), Work().place()
    session = Sessions(service).of("one")
    file = service.new_folder() / "Anna.png"
    portrait = astronaut()[:320, 60:380].copy()
    portrait[120:126] = 255
    portrait[300:306] = 0
    Image.fromarray(portrait).save(file)
    one = session.taken(file)
    steps.look(job, one, Settings(), service.restorers)
    mask = np.zeros((320, 320), np.uint8)
    mask[119:127] = mask[299:307] = 255
    one.marks.lay(mask, one.folder, given=True)

    steps.restore(job, one, FAST, service.restorers)
    result = one.result
    assert result and result.holes and len(one.faces) == 1 and one.chosen == {0}
    assert any("Holes of 5 % of the photo were filled, in 1 face by nets" in note for note in result.notes)
    first, made = np.asarray(Image.open(result.file)).astype(int), read(result.file)
    assert abs(first[302] - portrait[297]).mean() < 30, "filled where no face is"
    assert made and made.mask == digest_of(result.holes) and made.filled == 0.05
    assert red(one)[300:306].min() > 90 > red(one)[285:295].mean(), "what was filled is seen in the map"

    one.marks.clear()
    steps.pick(job, one, 0, 1, service.restorers)
    assert one.result and one.result.picks == [1] and read(one.result.file).mask == made.mask
    assert red(one)[300:306].min() > 90 > red(one)[285:295].mean()
    assert (np.asarray(Image.open(one.result.file)) != first).any()
    steps.pick(job, one, 0, 0, service.restorers)
    np.testing.assert_array_equal(np.asarray(Image.open(one.result.file)), first)

    one.marks.lay(np.zeros((320, 320), np.uint8), one.folder, given=False)
    steps.restore(job, one, FAST, service.restorers)
    assert one.result.holes is None and not any("hole" in note.lower() for note in one.result.notes)
    service.close()


def red(one: OnePhoto) -> np.ndarray:
    """How red each pixel of the map of what was made up is, which is grey where nothing was: 129 where all was."""
    shown = np.asarray(Image.open(one.picture("map"))).astype(int)
    return shown[..., 0] - shown[..., 1]


def test_faces_that_are_found_again_are_chosen_as_before(tmp_path):
    """Their order may be another without the holes, and there may be more of them."""
    at = {"left": (0, 0, 40, 40), "right": (100, 0, 130, 30), "left, nearly": (4, 2, 44, 40), "new": (60, 60, 80, 80)}

    def face(where: str, number: int) -> SeenFace:
        return SeenFace(at[where], np.zeros((5, 2), np.float32), 1.0, number)

    one = OnePhoto(tmp_path / "a.jpg", tmp_path, faces=[face("left", 0), face("right", 1)], chosen={1})
    again = [face("right", 0), face("left, nearly", 1), face("new", 2)]
    assert steps.chosen_again(one, Chosen(again, [], [])) == {0, 2}
    profile = Chosen(again[:2], again[2:], [])
    assert steps.chosen_again(one, profile) == {0}, "what is new and a profile is left alone"


def test_the_page_shows_no_more_than_it_can(tmp_path):
    steps.show(np.zeros((2000, 3000, 3), np.uint8), tmp_path / "a.jpg")
    assert Image.open(tmp_path / "a.jpg").size == (1600, 1067)
