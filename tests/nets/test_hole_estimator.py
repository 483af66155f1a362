"""The small estimator for holes: what lies in a hole plays no part, and every size and parameter works."""

import pytest
import torch

from limner.nets.hole_estimator import CoarseFiller, HoleEstimator, smooth_fill


def tiny() -> HoleEstimator:
    torch.manual_seed(0)
    net = HoleEstimator(32, (32, 32), (1, 1), {"widths": (8, 8), "depths": (1, 1)}).eval()
    for parameter in net.parameters():  # ends of branches begin at zero
        if parameter.abs().max() == 0:
            torch.nn.init.normal_(parameter, std=0.1)
    return net


def face_with_hole(side: int = 32) -> tuple[torch.Tensor, torch.Tensor]:
    mask = torch.zeros(1, 1, side, side)
    mask[..., 5:17, 9:20] = 1
    return torch.rand(1, 3, side, side), mask


@torch.no_grad()
def test_what_a_hole_holds_plays_no_part():
    net, (face, mask) = tiny(), face_with_hole()
    black, white = face * (1 - mask), face * (1 - mask) + mask
    assert torch.equal(net(black, mask), net(white, mask))
    assert not torch.equal(net(face, mask), net(face, 0 * mask))
    small = net.coarse(face, mask)
    known = (mask == 0).expand_as(face)
    assert torch.equal(small[known], face[known])


@torch.no_grad()
@pytest.mark.parametrize(("height", "width"), [(32, 32), (31, 45), (8, 60)])
def test_any_size(height, width):
    net = tiny()
    face, mask = torch.rand(1, 3, height, width), (torch.rand(1, 1, height, width) < 0.3).float()
    assert net(face, mask).shape == face.shape


def test_untrained_it_is_the_smooth_filling():
    torch.manual_seed(0)
    face, mask = face_with_hole()
    with torch.no_grad():
        torch.testing.assert_close(CoarseFiller((32, 32), (1, 1))(face, mask), smooth_fill(face, mask))


def test_the_embedded_size_takes_at_most_eight_megabytes():
    with torch.device("meta"):
        net = HoleEstimator()
    assert 2 * sum(parameter.numel() for parameter in net.coarse.parameters()) < 8e6


def test_every_parameter_learns():
    net, (face, mask) = tiny().train(), face_with_hole()
    net(face, mask).square().mean().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().max() > 0, name


def test_a_filling_is_smooth_and_keeps_what_is_known():
    ramp = torch.linspace(0, 1, 64).expand(1, 3, 64, 64).clone()
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 20:30, 20:40] = 1
    filled = smooth_fill(ramp * (1 - mask), mask)
    assert torch.equal(filled[(mask == 0).expand_as(filled)], ramp[(mask == 0).expand_as(ramp)])
    assert (filled - ramp).abs().max() < 0.2  # black would be 0.6 away
    assert torch.equal(smooth_fill(ramp, torch.ones_like(mask)), torch.full_like(ramp, 0.5))
    one = torch.full_like(ramp, 0.3)
    torch.testing.assert_close(smooth_fill(one, mask), one, rtol=0, atol=1e-4)
