"""What the nets that look at pictures give."""

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from skimage import data

from limner.errors import LimnerError, WeightsError
from limner.evaluate import extractors
from limner.evaluate.extractors import (
    RECOGNISED_AT,
    efficientnet_lite0,
    inception_v3,
    recogniser,
    shrunk,
    standard_extractors,
)
from limner.evaluate.set_distances import frechet_interval, kernel_interval
from limner.nets.dlib_resnet import DlibResNet
from limner.weights.formats import dlib

from .metrics.faces import FLOATS, GREY, RISING, face


def test_a_recogniser_sees_pictures_that_are_not_too_large():
    sides = []

    def net(crops):
        sides.append(crops.shape[-1])
        return F.normalize(crops.mean(dim=(2, 3)), dim=1)

    one = recogniser("colour", net, "mean colour", "")
    found = one.of([np.full((512, 512, 3), (10, 20, 20), np.uint8)] * 2)
    assert (one.width, one.kind, sides[-1]) == (3, "recogniser", RECOGNISED_AT)
    np.testing.assert_allclose(found, [[1 / 3, 2 / 3, 2 / 3]] * 2, atol=1e-6)
    assert shrunk(np.zeros((100, 50, 3), np.uint8)).shape == (100, 50, 3)
    assert shrunk(np.zeros((512, 256, 3), np.uint8)).shape == (256, 128, 3)


@pytest.mark.parametrize("there", [True, False])
def test_dlibs_recogniser_joins_where_it_is_installed(there, monkeypatch, tmp_path):
    torch.manual_seed(0)
    monkeypatch.setattr(dlib, "installed", lambda: tmp_path / dlib.FILE if there else None)
    monkeypatch.setattr(dlib, "load", lambda path: DlibResNet())
    monkeypatch.setattr(extractors, "load_identity", lambda name: lambda crops: F.normalize(crops.mean(dim=(2, 3))))
    names = [one.name for one in standard_extractors()]
    assert names == ["identity", "hog", *["dlib"] * there, *[name for name in names if name == "efficientnet-lite0"]]


def test_distances_of_efficientnets_features_grow_with_the_blur():
    extractor = efficientnet_lite0()
    picture = data.astronaut()[10:202, 128:320]
    windows = [np.ascontiguousarray(picture[y : y + 96, x : x + 96]) for y in (0, 48, 96) for x in (0, 48, 96)]
    truth = extractor.of(windows)
    assert truth.shape == (9, extractor.width)
    distances, kernels = [], []
    for sigma in (0.7, 2, 5):
        spoilt = extractor.of([cv2.GaussianBlur(window, (0, 0), sigma) for window in windows])
        distances.append(frechet_interval(spoilt, truth).value)
        kernels.append(kernel_interval(spoilt, truth).value)
    assert 0 < distances[0] < distances[1] < distances[2]
    assert kernels[0] < kernels[1] < kernels[2]


def test_another_net_is_no_inception(tmp_path):
    torch.save({"fc.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=r"other.pth don't fit Inception: Conv2d_1a_3x3.conv.weight, .* missing"):
        inception_v3(tmp_path / "other.pth", "", "")


@pytest.fixture(scope="module")
def installed():
    return standard_extractors()


def test_a_recogniser_knows_the_face_itself_and_less_of_it_the_more_it_is_spoilt(installed):
    truth = face(128)
    for one in installed:
        if one.kind == "recogniser":
            own = one.of([truth])[0]
            assert own @ own == pytest.approx(1)
            for spoil, strengths in RISING:
                cosines = [one.of([spoil(truth, strength)])[0] @ own for strength in strengths]
                assert 1 > cosines[0] > cosines[1] > cosines[2], (one.name, spoil.__name__)
    assert {"identity", "hog"} <= {one.name for one in installed}


def test_pictures_that_cannot_be_looked_at_are_told(installed):
    for one in installed:
        for wrong in (GREY, FLOATS):
            with pytest.raises(LimnerError, match="takes pictures of H x W x 3 uint8 in RGB"):
                one.of([wrong])
        with pytest.raises(LimnerError, match="different sizes"):
            one.of([face(64), face(96)])
