"""The net that finds damage: small, of any size, and blind to what is far away."""

import pytest
import torch

from limner.damage.find import OVERLAP
from limner.nets.damage import DamageNet


@pytest.fixture(scope="module")
def net() -> DamageNet:
    torch.manual_seed(0)
    return DamageNet().eval()


def test_it_is_small(net):
    parameters = sum(p.numel() for p in net.parameters())
    assert parameters < 400_000 and 2 * parameters < 1e6  # bytes in float16


@pytest.mark.parametrize("size", [(16, 16), (37, 90), (1, 3), (100, 61)])
def test_every_pixel_gets_an_answer(net, size):
    with torch.no_grad():
        logits = net(torch.rand(2, 3, *size))
    assert logits.shape == (2, *size) and logits.dtype == torch.float32
    assert logits.sigmoid().mean() < 0.3  # it begins with hardly any damage


def test_what_is_far_away_plays_no_part(net):
    """Tiles meet without a seam because nothing farther than their overlap matters."""
    picture = torch.rand(1, 3, 256, 64)
    changed = picture.clone()
    changed[..., 64 + OVERLAP :, :] = 0
    with torch.no_grad():
        assert torch.allclose(net(picture)[:, :64], net(changed)[:, :64], atol=1e-5)
