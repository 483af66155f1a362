"""Initial weights that keep the variance."""

import pytest
import torch
from torch import nn

from limner.nets.initial import keep_variance


def tower(depth: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(depth):
        block = nn.Sequential()
        block.add_module("conv", nn.Conv2d(64, 64, 3, padding=1, padding_mode="circular"))
        block.add_module("act", nn.ReLU())
        layers.append(block)
    return nn.Sequential(*layers)


@torch.no_grad()
def test_twenty_layers_neither_fade_nor_burst():
    torch.manual_seed(0)
    net, x = tower(20), torch.randn(2, 64, 16, 16)
    faded = net(x).square().mean()
    keep_variance(net)
    kept = net(x).square().mean()
    assert faded < 0.01 and 0.1 < kept < 10


def test_named_ends_and_all_biases_are_zero_and_nothing_but_convolutions_is_touched():
    net = nn.ModuleDict({"conv1": nn.Conv2d(4, 4, 3), "conv2": nn.Conv2d(4, 4, 3), "head": nn.Linear(4, 4)})
    before = net["head"].weight.clone()
    keep_variance(net, zero=("conv2",))
    assert net["conv2"].weight.eq(0).all() and net["conv1"].weight.ne(0).all()
    assert net["conv1"].bias.eq(0).all() and net["conv2"].bias.eq(0).all()
    assert torch.equal(net["head"].weight, before)


def test_the_seed_decides():
    nets = []
    for _ in range(2):
        net = tower(1)
        torch.manual_seed(5)
        keep_variance(net)
        nets.append(net[0].conv.weight)
    assert torch.equal(*nets)


def test_a_net_that_a_file_will_fill_is_not_drawn(monkeypatch):
    with torch.device("meta"):
        net = tower(2)
    monkeypatch.setattr(nn.init, "kaiming_normal_", lambda *_, **__: pytest.fail("drawn"))
    monkeypatch.setattr(nn.init, "zeros_", lambda *_, **__: pytest.fail("drawn"))
    keep_variance(net)
