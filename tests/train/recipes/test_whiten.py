"""Whitening: what it does to vectors, and that it is nothing but another last layer."""

import pytest
import torch

from limner.nets.identity import IdentityNet
from limner.train.recipes.whiten import whitened


@pytest.fixture(scope="module")
def net() -> IdentityNet:
    torch.manual_seed(0)
    net = IdentityNet(
        sample_size=56, layers=(1,), widths=(8,), stem_width=8, patch_size=4, embedding=6, head="depthwise"
    )
    for _ in range(5):  # statistics of its own
        net.train()(torch.rand(32, 3, 64, 64))
    with torch.no_grad():
        net.fc.weight[:3] *= 0.05
        net.features.bias.uniform_(-1, 1)
    return net.eval()


@pytest.fixture(scope="module")
def crops() -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(200, 3, 64, 64, generator=generator) * torch.rand(200, 3, 1, 1, generator=generator)


@torch.no_grad()
def test_vectors_become_white(net, crops):
    before = net.embed(net.prepare(crops))
    assert torch.cov(before.T).diag().min() < 0.1 * torch.cov(before.T).diag().max()
    white = whitened(net, crops, ridge=1e-9)
    after = white.embed(white.prepare(crops))
    torch.testing.assert_close(after.mean(0), torch.zeros(6), atol=1e-3, rtol=0)
    torch.testing.assert_close(torch.cov(after.T, correction=0), torch.eye(6), atol=1e-2, rtol=0)


@torch.no_grad()
def test_it_is_the_same_map_for_all(net, crops):
    """Vectors of other faces are turned, scaled and shifted as those it was made from."""
    white = whitened(net, crops, ridge=0.1)
    vectors = net.embed(net.prepare(crops))
    variances, directions = torch.linalg.eigh(torch.cov(vectors.T, correction=0))
    turn = directions / (variances + 0.1 * variances.max()).sqrt()
    others = torch.rand(5, 3, 64, 64)
    expected = (net.embed(net.prepare(others)) - vectors.mean(0)) @ turn
    # Which way a direction points is left open.
    torch.testing.assert_close(white.embed(white.prepare(others)).abs(), expected.abs(), atol=1e-3, rtol=1e-3)


@torch.no_grad()
def test_bytes_are_read_alike_and_the_net_is_left_alone(net, crops):
    state = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    rounded = (crops * 255).round().byte()
    first, second = whitened(net, rounded), whitened(net, rounded.float() / 255)
    torch.testing.assert_close(first.fc.weight, second.fc.weight)
    assert all(torch.equal(tensor, state[name]) for name, tensor in net.state_dict().items())
