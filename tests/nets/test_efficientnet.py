"""EfficientNet-Lite0: sizes as published, and TensorFlow's padding."""

import torch

from limner.nets.efficientnet import CHANNELS, Convolution, EfficientNetLite0


def test_levels_and_parameters():
    with torch.device("meta"):
        net = EfficientNetLite0()
        picture = torch.zeros(1, 3, 224, 224)
        levels = net.features(picture)
        assert net.pooled(picture).shape == (1, 1280) and net(picture).shape == (1, 1000)
    sides = (112, 56, 28, 14, 7)
    assert [tuple(level.shape[1:]) for level in levels] == list(zip(CHANNELS, sides, sides, strict=True))
    assert 4.5e6 < sum(parameter.numel() for parameter in net.parameters()) < 4.7e6  # normalisations are folded in


def test_the_odd_zero_of_padding_comes_last():
    conv = Convolution(1, 1, 3, 2, bias=False)
    torch.nn.init.ones_(conv.weight)
    with torch.no_grad():
        assert conv(torch.ones(1, 1, 4, 4))[0, 0].tolist() == [[9, 6], [6, 4]]
