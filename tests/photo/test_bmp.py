"""BMP: with alpha too."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limner.photo.photo import Photo

from .samples import encoded, random_pixels, smooth, write


@pytest.mark.parametrize("grey", [False, True])
def test_alpha_is_kept(tmp_path: Path, grey: bool) -> None:
    four = random_pixels(shape=(21, 30, 4))
    colours = np.repeat(four[..., :1], 3, axis=2) if grey else four[..., :3]
    Photo(colours, "BMP", four[..., 3], grey=grey, dpi=(300, 200)).save(tmp_path / "a.bmp")
    again = Photo.open(tmp_path / "a.bmp")
    assert (again.pixels == colours).all() and again.alpha is not None and (again.alpha == four[..., 3]).all()
    assert again.dpi == pytest.approx((300, 200), abs=0.1)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_every_mode(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(smooth()).convert(mode)
    photo = Photo.open(write(tmp_path / "a.bmp", encoded(image, "BMP")))
    assert (photo.pixels == np.asarray(image.convert("RGB"))).all()
