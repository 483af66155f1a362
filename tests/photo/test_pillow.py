"""What Pillow decodes."""

import numpy as np
import pytest
from PIL import Image

from limner.errors import PhotoError
from limner.photo.pillow import limit_lifted, opened, pixels_of, without_exif_item

from .samples import encoded, exif, smooth


def test_the_limit_of_pillow_comes_back() -> None:
    before = Image.MAX_IMAGE_PIXELS
    with pytest.raises(KeyError), limit_lifted():
        assert Image.MAX_IMAGE_PIXELS is None
        raise KeyError
    assert before == Image.MAX_IMAGE_PIXELS


def test_pixels_that_are_no_photographs() -> None:
    with pytest.raises(PhotoError, match=r"^holds F pixels, which limner doesn't read: save it with 8 or 16 bit a"):
        pixels_of(Image.new("F", (4, 4)))


def test_an_avif_without_its_exif_is_the_same_picture() -> None:
    data = encoded(Image.fromarray(smooth()), "AVIF", exif=exif())
    hidden = opened(without_exif_item(data), "AVIF")
    assert "exif" not in hidden.info
    assert (np.asarray(hidden) == np.asarray(opened(data, "AVIF"))).all()
