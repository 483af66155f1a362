"""Pictures beside the results."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from limner.folder.pictures import SidePictures, compared_picture, invented_picture, is_side_picture
from limner.photo.photo import Photo
from limner.restoration import Restoration
from limner.restorer import Restorer, Settings


@pytest.fixture(scope="module")
def photo() -> Photo:
    small = Image.fromarray(astronaut()[:320, 60:380]).resize((64, 64))
    return Photo(np.asarray(small.resize((320, 320))), "JPEG")


@pytest.fixture(scope="module")
def done(photo) -> Restoration:
    return Restorer(Settings(options={"steps": 1}, threads=1, samples=2)).restore(photo)


def test_maps_show_where_the_face_was_made_up(done):
    drawn = invented_picture(done).astype(int)
    assert drawn.shape == (320, 320, 3)
    red = drawn[..., 0] - drawn[..., 1] > 20
    assert red[100:200, 100:200].mean() > 0.3 and not red[:, :5].any()


def test_before_and_after_stand_side_by_side(photo, done):
    drawn = compared_picture(photo, done)
    assert drawn.shape == (320, 3 * 320 + 2 * 8, 3)
    assert (drawn[:, :320] == photo.pixels).all() and (drawn[:, 320:328] == 255).all()
    assert (drawn[:, 328:648] == done.photos[0].srgb()).all() and (drawn[:, 656:] == done.photos[1].srgb()).all()
    small = Photo(np.ascontiguousarray(photo.pixels[::2, ::2]), "JPEG")
    assert compared_picture(small, done).shape == drawn.shape


def test_each_is_named_as_its_photograph(photo, done, tmp_path):
    beside = SidePictures(tmp_path / "way", tmp_path / "maps", tmp_path / "compared")
    assert not beside.there(Path("deep/x.jpg"))
    beside.save(photo, done, Path("deep/x.jpg"))
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png"))
    assert files == [
        "compared/deep/x.jpg_compared.png",
        "maps/deep/x.jpg_invented.png",
        "way/deep/x.jpg_face0_estimate.png",
    ]
    assert all(is_side_picture(Path(name)) for name in files) and not is_side_picture(Path("x_compared.png"))
    assert beside.there(Path("deep/x.jpg")) and not beside.there(Path("deep/x.png"))
    assert SidePictures().there(Path("a.jpg"))
