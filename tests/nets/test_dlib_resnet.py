"""dlib's recogniser: its sizes from layer to layer, sums of unequal maps, and gradients that reach a chip."""

import torch

from limner.nets.dlib_resnet import Block, DlibResNet, _padded_sum


def test_it_has_the_published_size():
    with torch.device("meta"):
        net = DlibResNet()
    convolutions = [module for module in net.modules() if isinstance(module, torch.nn.Conv2d)]
    assert len(convolutions) == 29
    assert sum(p.numel() for p in net.parameters()) == 5_607_488
    assert net(torch.empty(2, 3, 150, 150, device="meta")).shape == (2, 128)


def test_maps_shrink_as_published():
    with torch.device("meta"):
        net = DlibResNet()
    sides = []
    h = torch.empty(1, 32, 35, 35, device="meta")
    for block in net.blocks:
        h = block(h)
        sides.append(h.shape[2])
    assert sides == [35] * 3 + [17] * 4 + [8] * 3 + [4] * 3 + [2]


def test_what_one_summand_lacks_is_zero():
    a, b = torch.ones(1, 3, 1, 1), torch.ones(1, 2, 2, 2)
    summed = _padded_sum(a, b)
    assert summed.shape == (1, 3, 2, 2)
    assert summed[0, :2, 0, 0].tolist() == [2, 2] and summed[0, 2].flatten().tolist() == [1, 0, 0, 0]
    torch.testing.assert_close(_padded_sum(b, a), summed)


def test_the_shortcut_of_a_striding_block_is_the_mean_of_four_pixels():
    block = Block(2, 4, 2)
    for parameter in block.parameters():
        torch.nn.init.zeros_(parameter)
    x = torch.rand(1, 2, 8, 8)
    out = block(x)
    assert out.shape == (1, 4, 4, 4) and out[0, 2:].abs().max() == 0
    torch.testing.assert_close(out[0, :2, 0, 0], x[0, :, :2, :2].mean(dim=(1, 2)))


def test_gradients_reach_the_chip():
    chip = torch.rand(1, 3, 150, 150, requires_grad=True)
    DlibResNet()(chip).square().sum().backward()
    assert chip.grad is not None and chip.grad.abs().max() > 0
