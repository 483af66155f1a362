"""A large picture in tiles gives what the whole gives."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from limner.nets.tiles import in_tiles


@pytest.mark.parametrize(("height", "width"), [(64, 64), (70, 33), (20, 97)])
@pytest.mark.parametrize("factor", [1, 2])
def test_pointwise_nets_give_the_same_in_tiles(height, width, factor):
    x = torch.rand(2, 3, height, width)

    def net(part):
        return F.interpolate(part.square(), scale_factor=factor, mode="nearest") if factor > 1 else part.square()

    torch.testing.assert_close(in_tiles(net, x, tile=32, overlap=8, factor=factor), net(x))


def test_a_net_with_reach_differs_from_the_whole_only_where_a_tile_ends():
    torch.manual_seed(0)
    conv = nn.Conv2d(1, 1, 5, padding=2)  # sees two pixels far
    x = torch.rand(1, 1, 80, 20)
    with torch.no_grad():
        wrong = (conv(x) - in_tiles(conv, x, tile=32, overlap=8)).abs().amax(dim=(0, 1, 3))
    # tiles begin at 0, 24 and 48
    assert set(torch.where(wrong > 1e-6)[0].tolist()) == {24, 25, 30, 31, 48, 49, 54, 55}


def test_small_pictures_go_through_whole():
    seen = []

    def net(part):
        seen.append(tuple(part.shape[-2:]))
        return part

    in_tiles(net, torch.rand(1, 1, 32, 32), tile=32, overlap=8)
    in_tiles(net, torch.rand(1, 1, 60, 64), tile=32, overlap=8, limit=64)
    assert seen == [(32, 32), (60, 64)]


def test_tiles_have_one_size_share_the_overlap_and_end_with_the_picture():
    seen = []

    def net(part):
        seen.append((int(part[0, 0, 0, 0]), tuple(part.shape[-2:])))
        return part

    columns = torch.arange(70.0).expand(1, 1, 32, 70).contiguous()
    assert torch.equal(in_tiles(net, columns, tile=32, overlap=8).round(), columns)
    assert seen == [(0, (32, 32)), (24, (32, 32)), (38, (32, 32))]


def test_tiles_begin_at_multiples_of_a_step_and_miss_nothing():
    seen = []

    def net(part):
        seen.append((int(part[0, 0, 0, 0]), part.shape[-1]))
        return part

    columns = torch.arange(70.0).expand(1, 1, 32, 70).contiguous()
    assert torch.equal(in_tiles(net, columns, tile=32, overlap=8, step=8).round(), columns)
    assert seen == [(0, 32), (24, 32), (32, 38)]


def test_one_tile_gives_way_to_the_next_linearly():
    columns = torch.arange(56.0).expand(1, 1, 32, 56).contiguous()
    blended = in_tiles(lambda part: part[..., :1].expand_as(part), columns, tile=32, overlap=8)
    expected = torch.cat([torch.zeros(24), 24 * torch.arange(1, 9) / 9, torch.full((24,), 24.0)])
    torch.testing.assert_close(blended[0, 0, 5], expected)
