"""Features of any number of pictures, of any size."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from limner.errors import LimnerError, WeightsError
from limner.evaluate.metrics.distribution import Moments, frechet_distance, kernel_distance
from limner.evaluate.metrics.features import Extractor, efficientnet_extractor, inception_extractor

from .faces import FLOATS, GREY, blurred, face

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


def test_efficientnet_is_always_there():
    extractor = replace(efficientnet_extractor(), side=64)  # smaller than measured with, to be quick
    assert (extractor.dimensions, efficientnet_extractor().side) == (1280, 224)
    windows = [np.ascontiguousarray(face(192)[y : y + 96, x : x + 96]) for y in (0, 48, 96) for x in (0, 48, 96)]
    truth = extractor(windows)
    assert truth.shape == (9, 1280)
    distances, kernels = [], []
    for sigma in (0.7, 2, 5):
        spoilt, running = extractor(blurred(window, sigma) for window in windows), [Moments(), Moments()]
        for found, features in zip(running, (spoilt, truth), strict=True):
            found.add(features[:, :200])
        distances.append(frechet_distance(*running))
        kernels.append(kernel_distance(spoilt, truth, np.random.default_rng(0), paired=True).value)
    assert 0 < distances[0] < distances[1] < distances[2]
    assert kernels[0] < kernels[1] < kernels[2]


def test_bad_pictures_and_weights_are_told(tmp_path):
    for wrong in (GREY, FLOATS):
        with pytest.raises(LimnerError, match=r"takes pictures of H x W x 3 uint8 in RGB"):
            TOY([face(), wrong])
    torch.save({"fc.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=r"other.pth don't fit Inception: Conv2d_1a_3x3.conv.weight, .* missing"):
        inception_extractor(tmp_path / "other.pth")
