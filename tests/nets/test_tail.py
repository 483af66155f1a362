"""The layers at full size: they begin as nothing, see the pictures, and any size goes through."""

import torch

from limner.nets.tail import Tail
from limner.nets.unet import UNet


def test_a_new_tail_adds_nothing_and_learns_everywhere():
    tail = Tail(below=8, pictures=6, channels=3, time_channels=16, widths=(8, 4))
    made = tail(torch.randn(2, 8, 4, 6), torch.randn(2, 6, 16, 24), torch.randn(2, 16))
    assert made.shape == (2, 3, 16, 24) and not made.any()
    torch.nn.init.normal_(tail.out.weight)
    tail(torch.randn(2, 8, 4, 6), torch.randn(2, 6, 16, 24), torch.randn(2, 16)).square().mean().backward()
    assert all(parameter.grad is not None for parameter in tail.parameters())


def test_a_unet_with_a_tail_begins_as_the_one_without():
    torch.manual_seed(0)
    shape = {"sample_size": 32, "out_channels": 3, "width": 16, "multipliers": (1, 1), "depths": (1, 1)}
    rest = {"attention_levels": (), "head_channels": 8, "groups": 0, "patch_size": 4, "input_skip": True}
    plain = UNet(**shape, **rest)
    grown = UNet(**shape, **rest, tail_widths=(8, 4))
    missing, extra = grown.load_state_dict(plain.state_dict(), strict=False)
    assert missing and all(name.startswith("tail.") for name in missing) and not extra
    x, t = torch.randn(2, 3, 32, 32), torch.tensor([0, 20])
    torch.testing.assert_close(grown(x, t), plain(x, t), rtol=0, atol=0)


def test_the_tail_looks_at_the_picture_at_its_own_size():
    """One pixel of the input changes its own surroundings by itself, whatever the trunk makes of it."""
    torch.manual_seed(0)
    tail = Tail(below=8, pictures=3, channels=3, time_channels=16, widths=(8, 4))
    torch.nn.init.normal_(tail.out.weight)
    h, embedding = torch.randn(1, 8, 8, 8), torch.randn(1, 16)
    pictures = torch.randn(1, 3, 32, 32)
    other = pictures.clone()
    other[0, :, 13, 18] += 1
    changed = (tail(h, pictures, embedding) - tail(h, other, embedding)).abs().amax(dim=(0, 1))
    assert changed[13, 18] > 0 and not changed[:, -1].any()
