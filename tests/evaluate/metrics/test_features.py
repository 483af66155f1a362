"""Features of any number of pictures, of any size."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from limner.errors import LimnerError, WeightsError
from limner.evaluate.metrics.features import Extractor, inception_extractor

from .faces import FLOATS, GREY, face

TOY = Extractor("toy", 3, 8, True, lambda pictures: pictures.mean(dim=(2, 3)))


def test_batches_give_what_single_pictures_give():
    pictures = [face(side) for side in range(10, 43)]
    found = TOY(picture for picture in pictures)
    assert found.shape == (33, 3) and found.dtype == np.float32
    assert found[17] == pytest.approx(TOY([pictures[17]])[0])
    assert TOY([]).shape == (0, 3)


def test_smoothing_on_the_way_down_is_the_extractors_own():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::8] = 255
    assert TOY([stripes])[0, 0] == pytest.approx(1 / 8, abs=0.02)
    assert replace(TOY, antialias=False)([stripes])[0, 0] == pytest.approx(0)


def test_bad_pictures_and_weights_are_told(tmp_path):
    for wrong in (GREY, FLOATS):
        with pytest.raises(LimnerError, match=r"takes pictures of H x W x 3 uint8 in RGB"):
            TOY([face(), wrong])
    torch.save({"fc.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=r"other.pth don't fit Inception: Conv2d_1a_3x3.conv.weight, .* missing"):
        inception_extractor(tmp_path / "other.pth")
