"""VGG-16's features: sizes, names and count of parameters as published, and the smooth pooling."""

import pytest
import torch

from limner.nets.vgg16 import CHANNELS, VGG16, RootPool


@pytest.mark.parametrize("pooling", ["max", "root"])
def test_levels_and_parameters(pooling: str):
    with torch.device("meta"):
        net = VGG16(pooling)
        levels = net(torch.zeros(1, 3, 224, 224))
    assert sum(parameter.numel() for parameter in net.parameters()) == 14_714_688
    sides = (224, 112, 56, 28, 14)
    assert [tuple(level.shape[1:]) for level in levels] == list(zip(CHANNELS, sides, sides, strict=True))
    numbers = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
    assert net.state_dict().keys() == {f"features.{n}.{kind}" for n in numbers for kind in ("weight", "bias")}


def test_root_pooling_keeps_a_flat_map_and_does_not_alias():
    flat = torch.full((1, 2, 9, 9), 3.0)
    pooled = RootPool()(flat)
    assert pooled.shape == (1, 2, 5, 5) and torch.allclose(pooled[..., 1:-1, 1:-1], torch.tensor(3.0))
    stripes = torch.zeros(1, 1, 16, 16)
    stripes[..., ::2] = 1
    shifted = [RootPool()(stripes.roll(step, dims=3))[..., 2:-2, 2:-2] for step in (0, 1)]
    assert torch.allclose(*shifted, atol=1e-6), "every second column is the same whichever it is"
