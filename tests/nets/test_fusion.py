"""The fusion chooses between photograph and restoration, and can't do anything else."""

import pytest
import torch
from torch import nn

from limner.nets.fusion import FAITHFUL, MOST, USUAL, Fusion, evened, luma
from limner.nets.pyramid import join, split


def lively() -> Fusion:
    """A fusion whose shares differ from place to place."""
    torch.manual_seed(0)
    net = Fusion()
    for head in net.heads:
        nn.init.normal_(head.weight, std=0.2)
    return net.eval()


def pictures(count=3, size=128):
    return list(torch.rand(count, 1, 3, size, size, generator=torch.Generator().manual_seed(1)).unbind())


@torch.no_grad()
def test_a_restoration_that_is_the_clean_photo_changes_nothing():
    photo, clean, _ = pictures()
    delta, _ = lively()(photo, clean, clean)
    assert delta.abs().max() < 1e-6


@torch.no_grad()
def test_shares_are_of_their_octave_and_place():
    photo, clean, restored = pictures(size=256)
    net = lively()
    shares = net.shares(photo, clean, restored)
    assert [share.shape[-1] for share in shares] == [256, 128, 64, 32, 16, 8]
    restored = restored.clone()
    restored[..., 160:] = clean[..., 160:]  # nothing to choose on the right
    delta, _ = net(photo, clean, restored)
    assert delta[..., 256 - 16 :].abs().mean() < 0.05 * delta[..., :128].abs().mean()


@torch.no_grad()
def test_full_shares_give_the_restoration_but_for_the_coarsest():
    photo, clean, restored = pictures()
    net = Fusion().eval()
    for head in net.heads:
        nn.init.constant_(head.bias, 50.0)
    delta, invented = net(photo, clean, restored)
    wanted = join(split(restored)[0], split(clean)[1])
    torch.testing.assert_close(luma(clean + delta), luma(wanted))
    assert invented.min() > 0.99
    for head in net.heads:
        nn.init.constant_(head.bias, -50.0)
    delta, invented = net(photo, clean, restored)
    assert delta.abs().max() < 1e-6 and invented.max() < 0.01


@torch.no_grad()
def test_colour_has_shares_of_its_own():
    photo, clean, restored = pictures()
    net = Fusion().eval()
    for head in net.heads:
        head.bias.copy_(torch.tensor([50.0, -50.0]))
    delta, _ = net(photo, clean, restored)
    torch.testing.assert_close(delta, luma(delta).expand_as(delta), atol=1e-5, rtol=0)


@torch.no_grad()
def test_fine_colour_is_the_photos_alone():
    _, clean, restored = pictures()
    net = Fusion().eval()
    for head in net.heads:
        nn.init.constant_(head.bias, 50.0)
    delta, _ = net(clean, clean, restored)
    colour, other = ([band - luma(band) for band in split(x)[0]] for x in (delta, restored - clean))
    fine = sum(float(band.square().mean()) for band in colour[:FAITHFUL])
    assert fine < 0.02 * sum(float(band.square().mean()) for band in other[:FAITHFUL])
    torch.testing.assert_close(colour[-1], other[-1], atol=0.05, rtol=0.5)


@pytest.mark.parametrize("size", [64, 96, 200])
def test_any_size(size):
    delta, invented = lively()(*pictures(size=size))
    assert delta.shape == (1, 3, size, size) and invented.shape == (1, 1, size, size)


def test_a_faded_print_is_seen_with_a_usual_contrast():
    face = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    clean = torch.nn.functional.interpolate(face, size=256, mode="bicubic").clamp(0, 1)
    faded = 0.4 + 0.2 * clean
    middle, gain = evened(faded)
    inside = slice(64, -64)
    deviation = luma(middle + gain * (faded - middle))[..., inside, inside].std()
    assert deviation == pytest.approx(USUAL, rel=0.25) and gain.max() <= MOST
    rich = (clean - 0.5) * 2 + 0.5
    torch.testing.assert_close(evened(rich)[1][..., inside, inside], torch.ones(1, 1, 128, 128))


@torch.no_grad()
def test_what_is_faint_is_shared_as_if_it_were_not():
    photo, clean, restored = (0.4 * (x - 0.5) for x in pictures(size=256))
    net = lively()
    shares, fainter = (net.shares(*(0.5 + k * x for x in (photo, clean, restored))) for k in (1.0, 0.5))
    for one, other in zip(shares, fainter, strict=True):
        torch.testing.assert_close(one, other, atol=0.02, rtol=0)
