"""What the nets that look at pictures give."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from limner.evaluate import extractors
from limner.evaluate.extractors import RECOGNISED_AT, recogniser, shrunk, standard_extractors
from limner.nets.dlib_resnet import DlibResNet
from limner.weights.formats import dlib


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
