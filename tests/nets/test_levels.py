"""Outputs on the way."""

import torch
from torch import nn

from limner.nets.levels import outputs


def test_outputs_of_some_layers_in_order():
    layers = nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Identity())
    first, last = outputs(layers, torch.full((1, 1, 2), -1.0), (2, 0))
    assert first.shape == (1, 1, 2) and last.shape == (1, 2) and first.sum() == 0
