"""DISTS with random weights of the published shapes."""

import numpy as np
import pytest
import torch

from limner.errors import LimnerError, WeightsError
from limner.evaluate.metrics.dists import DISTS, WIDTHS, load_dists
from limner.nets.vgg16 import VGG16

from .faces import FLOATS, GREY, RISING, face
from .published import filled, saved


@pytest.fixture(scope="module")
def metric() -> DISTS:
    ones = torch.ones(sum(WIDTHS))
    net = filled(VGG16(pooling="root"))
    assert isinstance(net, VGG16)
    return DISTS(net.eval(), ones, ones)


def test_worse_is_further(metric):
    truth = face(64)
    assert metric(truth, truth) == pytest.approx(0, abs=1e-5)
    for spoil, strengths in RISING:
        figures = [metric(spoil(truth, strength), truth) for strength in strengths]
        assert 0 < figures[0] < figures[1] < figures[2] < 2
        assert metric(truth, spoil(truth, strengths[1])) == pytest.approx(figures[1], abs=1e-5)


def test_texture_is_of_means_and_structure_of_correlations(metric):
    """With weights for the picture's own channels alone, it is known by hand."""
    own = torch.zeros(sum(WIDTHS))
    own[:3] = 1
    none, truth = torch.zeros(sum(WIDTHS)), face(64)
    darker = truth // 2
    texture, structure = DISTS(metric.backbone, own, none), DISTS(metric.backbone, none, own)
    means = [picture.reshape(-1, 3).mean(axis=0) / 255 for picture in (truth, darker)]
    quotients = 2 * means[0] * means[1] / (means[0] ** 2 + means[1] ** 2)
    assert texture(truth, darker) == pytest.approx(1 - quotients.mean(), abs=1e-4)
    assert structure(truth, darker) == pytest.approx(1 - 2 * 0.5 / (1 + 0.25), abs=0.01)
    shuffled = truth.reshape(-1, 3)[np.random.default_rng(0).permutation(64 * 64)].reshape(truth.shape)
    assert texture(truth, shuffled) == pytest.approx(0, abs=1e-5) and structure(truth, shuffled) > 0.9


def test_weights_of_other_names_or_shapes_are_refused(tmp_path):
    wrong = saved({"alpha": torch.ones(1, 1472, 1, 1), "gamma": torch.ones(1)}, tmp_path / "weights.safetensors")
    with pytest.raises(
        WeightsError,
        match=r"don't fit DISTS: beta is missing; gamma is not expected; alpha \(1x1472x1x1 instead of 1x1475\) is of",
    ):
        load_dists(tmp_path / "vgg16.pth", wrong)
    right = saved({name: torch.ones(1, 1475, 1, 1) for name in ("alpha", "beta")}, tmp_path / "right.safetensors")
    with pytest.raises(WeightsError, match=r"Can't read the weights .*vgg16.pth: No such file"):
        load_dists(tmp_path / "vgg16.pth", right)


def test_pictures_that_cannot_be_measured_are_told(metric):
    for wrong in (GREY, FLOATS):
        with pytest.raises(LimnerError, match=r"takes pictures of H x W x 3 uint8 in RGB"):
            metric(wrong, face())
    with pytest.raises(LimnerError, match=r"different sizes"):
        metric(face(64), face())
