"""The net of proposals: shapes, size, and where its cells lie."""

import pytest
import torch

from limner.nets.proposals import STRIDE, UNIT, ProposalNet, centres, decoded


@pytest.fixture(scope="module")
def net() -> ProposalNet:
    torch.manual_seed(0)
    return ProposalNet().eval()


@torch.inference_mode()
def test_shapes(net):
    heat, sizes, offsets = net(torch.rand(2, 3, 64, 96))
    assert heat.shape == sizes.shape == (2, 8, 12) and offsets.shape == (2, 5, 2, 8, 12)
    assert heat.dtype == sizes.dtype == offsets.dtype == torch.float32
    assert heat.sigmoid().mean() < 0.3  # at first nothing is a face


def test_it_fits_in_one_megabyte_of_float16(net):
    assert 2 * sum(p.numel() for p in net.parameters()) < 1_000_000


@torch.inference_mode()
def test_what_a_cell_says_depends_on_what_is_around_it_alone(net):
    picture = torch.rand(1, 3, 512, 512)
    moved = torch.roll(picture, (16, 16), (2, 3))
    for one, other in zip(net(picture), net(moved), strict=True):
        torch.testing.assert_close(one[..., 28:36, 28:36], other[..., 30:38, 30:38], atol=1e-4, rtol=1e-4)


def test_cells_are_decoded_about_their_centres():
    assert centres(3, 4)[:, 0, 0].tolist() == [(STRIDE - 1) / 2] * 2
    assert centres(3, 4)[:, 1, 2].tolist() == [2 * STRIDE + 3.5, STRIDE + 3.5]
    sizes, offsets = torch.full((1, 3, 4), 2.0).log(), torch.zeros(1, 5, 2, 3, 4)
    offsets[:, 0, 0] = -0.5
    sides, points = decoded(sizes, offsets)
    torch.testing.assert_close(sides, torch.full((1, 3, 4), 2 * UNIT))
    assert points[0, 0, :, 1, 2].tolist() == pytest.approx([19.5 - UNIT, 11.5])
    assert points[0, 4, :, 1, 2].tolist() == pytest.approx([19.5, 11.5])
