"""The discriminant: a mean, a projection, unit vectors."""

import torch

from limner.nets.discriminant import Discriminant
from limner.weights.load import load_net


def test_mean_and_projection():
    net = Discriminant(3, 2)
    net.mean.copy_(torch.tensor([1.0, 1.0, 1.0]))
    net.project.weight.data.copy_(torch.tensor([[1.0, 0, 0], [0, 2.0, 0]]))
    torch.testing.assert_close(net(torch.tensor([[4.0, 3.0, 9.0]])), torch.tensor([[0.6, 0.8]]))


def test_the_embedded_one_takes_both_descriptions():
    net = load_net("mini/discriminant", Discriminant)
    assert net.config["features"] == 256 + 4356
    assert net(torch.randn(2, 4612, generator=torch.Generator().manual_seed(0))).shape == (2, net.config["embedding"])
