"""Tensors into nets, strictly."""

from pathlib import Path

import pytest
import torch

from limner.errors import WeightsError
from limner.weights.tensors import fill

STATE = {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.ones(2)}


def test_fill_makes_float32_ready_to_run():
    with torch.device("meta"):
        net = torch.nn.Linear(3, 2).train()
    fill(net, {name: tensor.half() for name, tensor in STATE.items()}, Path("net.pth"))
    assert not net.training
    assert net.weight.dtype == torch.float32 and net.weight.requires_grad
    assert torch.equal(net(torch.eye(3)), STATE["weight"].T + 1)


def test_fill_accepts_ones_at_the_end_only():
    with torch.device("meta"):
        net = torch.nn.Conv2d(3, 2, 1)
    fill(net, {"weight": torch.zeros(2, 3), "bias": torch.zeros(2)}, Path("net.pth"))
    with pytest.raises(WeightsError, match=r"weight \(3x2 instead of 2x3x1x1\) is of another shape"):
        fill(net, {"weight": torch.zeros(3, 2), "bias": torch.zeros(2)}, Path("net.pth"))


def test_fill_refuses_what_is_no_number():
    net = torch.nn.Conv2d(3, 4, 1)
    tensors = {"weight": torch.ones(4, 3, 1, 1), "bias": torch.tensor([0.0, float("nan"), 0.0, 0.0])}
    with pytest.raises(WeightsError, match=r"my.safetensors hold values that are no finite numbers, first in bias"):
        fill(net, tensors, Path("my.safetensors"))
