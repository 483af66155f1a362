"""LPIPS with random weights of the published shapes: how it adds up, and what it refuses."""

from pathlib import Path

import numpy as np
import pytest
import torch

from limner.errors import LimnerError, WeightsError
from limner.evaluate.metrics.lpips import LPIPS, load_lpips
from limner.nets import alexnet, squeezenet, vgg16

from .faces import FLOATS, GREY, RISING, face
from .published import filled, saved

KINDS = {
    "alex": (alexnet.AlexNet, alexnet.CHANNELS),
    "squeeze": (squeezenet.SqueezeNet, squeezenet.CHANNELS),
    "vgg": (vgg16.VGG16, vgg16.CHANNELS),
}


def linear(variant: str) -> dict[str, torch.Tensor]:
    return {f"lin{n}.model.1.weight": torch.ones(1, c, 1, 1) for n, c in enumerate(KINDS[variant][1])}


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, tuple[Path, Path]]:
    """Of the two small variants; VGG's layout is tested with its net."""
    folder = tmp_path_factory.mktemp("lpips")
    return {
        variant: (
            saved(dict(filled(KINDS[variant][0]()).state_dict()), folder / f"{variant}_backbone.safetensors"),
            saved(linear(variant), folder / f"{variant}.safetensors"),
        )
        for variant in ("alex", "squeeze")
    }


@pytest.mark.parametrize("variant", ["alex", "squeeze"])
def test_worse_is_further(files, variant: str):
    metric, truth = load_lpips(variant, *files[variant]), face(64)
    assert metric.variant == variant
    assert metric(truth, truth) == 0
    for spoil, strengths in RISING:
        figures = [metric(spoil(truth, strength), truth) for strength in strengths]
        assert 0 < figures[0] < figures[1] < figures[2]
        assert metric(truth, spoil(truth, strengths[1])) == pytest.approx(figures[1])


def test_it_is_the_weighted_sum_of_levels():
    """One level whose features are the normalised picture itself."""

    class Same(torch.nn.Module):
        def forward(self, pictures):
            return [pictures]

    red, green = np.zeros((32, 32, 3), np.uint8), np.zeros((32, 32, 3), np.uint8)
    red[..., 0], green[..., 1] = 200, 100
    mean, spread = np.array([-0.030, -0.088, -0.188]), np.array([0.458, 0.448, 0.450])
    units = [(picture[0, 0] / 127.5 - 1 - mean) / spread for picture in (red, green)]
    a, b = (unit / np.linalg.norm(unit) for unit in units)
    weights = np.array([1, 2, 3])
    metric = LPIPS("alex", Same(), [torch.tensor(weights).float()])
    assert metric(red, green) == pytest.approx((weights * (a - b) ** 2).sum(), rel=1e-5)


def test_another_variant_is_refused(files, tmp_path):
    (alex, alex_linear), (squeeze, squeeze_linear) = files["alex"], files["squeeze"]
    with pytest.raises(WeightsError, match=r"squeeze_backbone.safetensors don't fit AlexNet: .* missing; .*expected"):
        load_lpips("alex", squeeze, alex_linear)
    with pytest.raises(WeightsError, match=r"squeeze.safetensors don't fit LPIPS \(alex\): lin5.model.1.weight, lin6"):
        load_lpips("alex", alex, squeeze_linear)
    with pytest.raises(WeightsError, match=r"lin1.model.1.weight \(1x192x1x1 instead of 1x128\)"):
        load_lpips("vgg", alex, alex_linear)
    with pytest.raises(LimnerError, match=r"There is no LPIPS 'resnet': choose one of alex, squeeze, vgg\."):
        load_lpips("resnet", alex, alex_linear)
    with pytest.raises(WeightsError, match=r"Can't read the weights .*nothing.pth: No such file"):
        load_lpips("alex", alex, tmp_path / "nothing.pth")


def test_pictures_that_cannot_be_measured_are_told(files):
    metric = load_lpips("alex", *files["alex"])
    for wrong in (GREY, FLOATS):
        with pytest.raises(LimnerError, match=r"takes pictures of H x W x 3 uint8 in RGB"):
            metric(wrong, face())
    with pytest.raises(LimnerError, match=r"different sizes"):
        metric(face(64), face())
