"""SqueezeNet 1.1's features: sizes, names and count of parameters as published."""

import torch

from limner.nets.squeezenet import CHANNELS, SqueezeNet


def test_levels_and_parameters():
    net = SqueezeNet()
    assert sum(parameter.numel() for parameter in net.parameters()) == 722_496  # 1,235,496 with the classifier
    levels = net(torch.zeros(1, 3, 224, 224))
    sides = (111, 55, 27, 13, 13, 13, 13)
    assert [tuple(level.shape[1:]) for level in levels] == list(zip(CHANNELS, sides, sides, strict=True))
    assert {"features.3.squeeze.weight", "features.12.expand3x3.bias"} <= net.state_dict().keys()
    net(torch.zeros(1, 3, 17, 17))
