"""Small parts that several nets share."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from limner.nets.blocks import Parts, ResidualBlock, group_norm, padded, zeroed


@pytest.mark.parametrize("bias", [0.0, -3.0])
def test_a_zeroed_convolution_gives_a_constant(bias):
    conv = zeroed(nn.Conv2d(3, 5, 3, padding=1), bias)
    assert (conv(torch.randn(2, 3, 8, 8)) == bias).all()
    assert zeroed(nn.Conv2d(3, 5, 1, bias=False)).bias is None


@pytest.mark.parametrize(("height", "width"), [(16, 24), (17, 31), (1, 9)])
def test_padding_grows_to_multiples_and_repeats_the_edge(height, width):
    x = torch.randn(2, 3, height, width)
    grown = padded(x, 8)
    assert grown.shape[2] % 8 == grown.shape[3] % 8 == 0
    assert grown.shape[2] - height < 8 and grown.shape[3] - width < 8
    assert torch.equal(grown[..., :height, :width], x)
    assert (grown[..., height:, :width] == x[..., -1:, :]).all()
    assert (grown[..., :height, width:] == x[..., -1:]).all()


def test_a_residual_block_begins_as_the_identity_and_then_follows_its_formula():
    torch.manual_seed(0)
    block, x = ResidualBlock(4), torch.randn(2, 4, 8, 8)
    nn.init.zeros_(block.conv2.bias)
    assert torch.equal(block(x), x)
    nn.init.normal_(block.conv2.weight)
    assert torch.equal(block(x), x + block.conv2(F.silu(block.conv1(F.silu(x)))))


def test_parts_keep_the_names_and_the_order_of_a_module_list():
    layers = [nn.Linear(2, n) for n in (1, 2, 3)]
    parts, plain = Parts(layers), nn.ModuleList(layers)
    assert [layer.out_features for layer in parts] == [1, 2, 3]
    assert list(parts.state_dict()) == list(plain.state_dict())
    first, *others = parts
    assert first is layers[0] and others == layers[1:]


def test_no_groups_mean_no_normalisation():
    x = torch.randn(2, 8, 4, 4) * 5 + 3
    assert torch.equal(group_norm(0, 8)(x), x)
    normal = group_norm(2, 8)(x).unflatten(1, (2, 4)).flatten(2)
    torch.testing.assert_close(normal.mean(2), torch.zeros(2, 2), atol=1e-5, rtol=0)
    torch.testing.assert_close(normal.std(2, unbiased=False), torch.ones(2, 2), atol=1e-4, rtol=0)
