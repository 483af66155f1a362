"""AlexNet's features: sizes, names and count of parameters as published."""

import torch

from limner.nets.alexnet import CHANNELS, AlexNet


def test_levels_and_parameters():
    net = AlexNet()
    assert sum(parameter.numel() for parameter in net.parameters()) == 2_469_696
    levels = net(torch.zeros(1, 3, 224, 224))
    assert [tuple(level.shape[1:]) for level in levels] == list(
        zip(CHANNELS, (55, 27, 13, 13, 13), (55, 27, 13, 13, 13), strict=True)
    )
    assert {"features.0.weight", "features.10.bias"} <= net.state_dict().keys()
    assert all(level.min() >= 0 for level in levels)
    net(torch.zeros(1, 3, 31, 31))
