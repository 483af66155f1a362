"""The small regressor begins as the identity and sees the whole face."""

import pytest
import torch
from torch import nn

from limner.nets.estimator import Estimator


def tiny() -> Estimator:
    torch.manual_seed(0)
    return Estimator(32, 2, (8, 8, 8), (1, 1, 1)).eval()


@pytest.mark.parametrize("shape", [(2, 3, 32, 32), (1, 3, 16, 40)])
def test_untrained_it_gives_the_degraded_face_back(shape):
    x = torch.rand(shape)
    assert torch.equal(tiny()(x), x)


def test_every_level_is_heard():
    net, x = tiny(), torch.rand(1, 3, 32, 32)
    nn.init.normal_(net.head.weight, std=0.1)
    before = net(x)
    for part in (net.down[0][0], net.down[1][0], net.middle[0], net.up[0][0], net.up[1][0]):
        nn.init.normal_(part.conv2.weight, std=0.5)
        after = net(x)
        assert (after - before).abs().max() > 1e-4
        before = after


def test_its_answer_is_added_in_the_precision_of_the_face():
    net, x = tiny().bfloat16(), torch.rand(1, 3, 32, 32)
    assert torch.equal(net(x), x)
