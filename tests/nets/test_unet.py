"""The denoising U-Net: its timestep, its blocks, its skip, and any size."""

import math

import pytest
import torch
import torch.nn.functional as F

from limner.nets.unet import ResBlock, UNet, timestep_embedding


def tiny(**changes) -> UNet:
    torch.manual_seed(0)
    settings = {"sample_size": 16, "width": 8, "multipliers": (1, 2), "depths": (1, 1), "attention_levels": (1,)}
    net = UNet(**{**settings, "out_channels": 3, "head_channels": 8, "groups": 4, **changes}).eval()
    for parameter in net.parameters():  # branches begin at zero
        torch.nn.init.normal_(parameter, std=0.1)
    return net


def test_timesteps_become_waves():
    waves = timestep_embedding(torch.tensor([0, 7]), 6)
    periods = [10000 ** (-k / 3) for k in range(3)]
    expected = [math.cos(7 * p) for p in periods] + [math.sin(7 * p) for p in periods]
    torch.testing.assert_close(waves[1], torch.tensor(expected))
    assert torch.equal(waves[0], torch.tensor([1.0, 1, 1, 0, 0, 0]))


@torch.no_grad()
@pytest.mark.parametrize("scale_shift", [True, False])
def test_the_timestep_enters_a_block_as_stated(scale_shift):
    torch.manual_seed(0)
    block, x, embedding = ResBlock(4, 8, 16, scale_shift, 4), torch.randn(2, 4, 5, 5), torch.randn(2, 16)
    torch.nn.init.normal_(block.conv2.weight)
    h, time = block.conv1(F.silu(block.norm1(x))), block.time(F.silu(embedding))[..., None, None]
    h = block.norm2(h) * (1 + time[:, :8]) + time[:, 8:] if scale_shift else block.norm2(h + time)
    torch.testing.assert_close(block(x, embedding), block.skip(x) + block.conv2(F.silu(h)))


@torch.no_grad()
@pytest.mark.parametrize("changes", [{}, {"patch_size": 2}, {"groups": 0, "scale_shift": False}])
@pytest.mark.parametrize(("height", "width"), [(16, 16), (8, 24)])
def test_shape_timestep_and_independent_rows(changes, height, width):
    net, x = tiny(**changes), torch.randn(2, 3, height, width)
    out = net(x, torch.tensor([3, 900]))
    assert out.shape == x.shape
    torch.testing.assert_close(out[1:], net(x[1:], torch.tensor([900])), atol=1e-5, rtol=1e-4)
    assert (out[0] - net(x[:1], torch.tensor([900]))[0]).abs().max() > 1e-3


@torch.no_grad()
def test_the_skip_adds_the_input_in_a_share_that_the_timestep_decides():
    net, x = tiny(input_skip=True, in_channels=6), torch.randn(1, 6, 16, 16)
    time = torch.tensor([50])
    with_skip = net(x, time)
    share = net.share(F.silu(net.time(time)))[..., None, None]
    net.share = None
    torch.testing.assert_close(with_skip - net(x, time), share[:, :3] * x[:, :3] + share[:, 3:] * x[:, 3:])


def test_an_untrained_block_is_its_skip():
    block, x = ResBlock(4, 4, 16, True, 4), torch.randn(1, 4, 5, 5)
    assert torch.equal(block(x, torch.randn(1, 16)), x + block.conv2.bias[:, None, None])


def test_the_seed_decides_the_weights():
    nets = [tiny(groups=0, attention_positions=True).state_dict() for _ in range(2)]
    assert all(torch.equal(nets[0][name], nets[1][name]) for name in nets[0])
