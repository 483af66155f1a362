"""What the queue does for a window leaves the pictures that the page shows, and no photographs in memory."""

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from limner.page import steps
from limner.page.service import Service
from limner.page.session import Sessions
from limner.page.work import Work
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


def test_the_page_shows_no_more_than_it_can(tmp_path):
    steps.show(np.zeros((2000, 3000, 3), np.uint8), tmp_path / "a.jpg")
    assert Image.open(tmp_path / "a.jpg").size == (1600, 1067)
