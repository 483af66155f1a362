"""The small estimator for holes: what lies in a hole plays no part, and every size and parameter works."""

import pytest
import torch

from limner.nets.hole_estimator import CoarseFiller, HoleEstimator
from limner.nets.smooth_fill import smooth_fill


def tiny() -> HoleEstimator:
    torch.manual_seed(0)
    net = HoleEstimator(32, (32, 32), (1, 1)).eval()
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
    known = (mask == 0).expand_as(face)
    assert torch.equal(net.coarse(face, mask)[known], face[known])
    torch.testing.assert_close(net(face, mask)[known], face[known])


@torch.no_grad()
@pytest.mark.parametrize(("height", "width"), [(32, 32), (31, 45), (8, 60)])
def test_any_size(height, width):
    net = tiny()
    face, mask = torch.rand(1, 3, height, width), (torch.rand(1, 1, height, width) < 0.3).float()
    assert net(face, mask).shape == face.shape


@torch.no_grad()
def test_a_mirror_image_is_filled_alike():
    net, (face, mask) = tiny(), face_with_hole()
    torch.testing.assert_close(net(face.flip(3), mask.flip(3)), net(face, mask).flip(3))


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
