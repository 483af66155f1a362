"""The recogniser: what it looks at, its two shapes, and gradients."""

import cv2
import numpy as np
import pytest
import torch

from limner.nets.identity import IdentityNet, area_resize, face_region, local_contrast
from limner.train.recipes.identity import MINI


@pytest.fixture(scope="module")
def net() -> IdentityNet:
    torch.manual_seed(0)
    return IdentityNet(**MINI).eval()


@torch.inference_mode()
def test_vectors_have_unit_length_whatever_the_size(net):
    for size in (128, 200, 256, 512):
        vectors = net(torch.rand(3, 3, size, size))
        assert vectors.shape == (3, MINI["embedding"]) and vectors.dtype == torch.float32
        torch.testing.assert_close(vectors.norm(dim=1), torch.ones(3))


def test_the_mini_one_fits_in_four_megabytes_of_float16(net):
    assert 2 * sum(tensor.numel() for tensor in net.state_dict().values()) < 4_000_000


@torch.inference_mode()
def test_a_face_is_known_alike_at_256_and_512(net):
    small = torch.nn.functional.interpolate(torch.rand(2, 3, 16, 16), size=(256, 256), mode="bilinear")
    large = small.repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(net(small), net(large), atol=1e-4, rtol=0)


def test_the_region_is_from_a_sixteenth_to_fifteen_sixteenths():
    crops = torch.zeros(1, 3, 512, 512)
    crops[..., 32:480, 32:480] = 1
    assert face_region(crops, 112).min() == 1
    crops[..., 31, :] = 5
    crops[..., :, 480] = 5
    assert face_region(crops, 112).max() == 1


def test_resizing_averages_areas():
    picture = torch.rand(2, 3, 448, 448)
    torch.testing.assert_close(area_resize(picture, 112), torch.nn.functional.avg_pool2d(picture, 4))
    theirs = cv2.resize(np.float32(picture[0, 0, :225, :225]), (112, 112), interpolation=cv2.INTER_AREA)
    torch.testing.assert_close(area_resize(picture[:1, :1, :225, :225], 112)[0, 0], torch.from_numpy(theirs))
    assert torch.equal(area_resize(picture, 448), picture)


def test_light_and_tint_leave_the_local_contrast():
    generator = torch.Generator().manual_seed(0)
    cells = torch.rand(1, 1, 12, 12, generator=generator)
    picture = torch.nn.functional.interpolate(cells, size=(84, 84), mode="bilinear").expand(-1, 3, -1, -1) - 0.5
    seen = local_contrast(picture, 10)
    assert seen.shape == (1, 1, 84, 84) and seen.abs().mean() > 0.5
    darker = 0.5 * picture - 0.3
    slope = torch.linspace(-0.2, 0.2, 84)
    tint = torch.tensor([0.1, 0.0, -0.1])[:, None, None]
    for changed, allowed in ((darker, 0.1), (picture + slope, 0.25), (picture + tint, 1e-4)):
        assert (local_contrast(changed, 10) - seen).abs().mean() < allowed * seen.abs().mean()
    flat = local_contrast(torch.full((1, 3, 84, 84), 0.3), 10)
    assert flat.abs().max() < 1e-3
    # The mean is over what the picture has of the neighbourhood.
    plain = torch.nn.functional.avg_pool2d(picture[:, :1], 21, 1, 10, count_include_pad=False)
    deviation = torch.nn.functional.avg_pool2d((picture[:, :1] - plain) ** 2, 21, 1, 10, count_include_pad=False)
    torch.testing.assert_close(seen, (picture[:, :1] - plain) / (deviation + 0.04**2).sqrt(), atol=1e-4, rtol=1e-4)


def test_gradients_reach_the_crops_of_a_frozen_net(net):
    net.requires_grad_(False)
    crops = torch.rand(2, 3, 256, 256, requires_grad=True)
    first = net(torch.rand(2, 3, 256, 256))
    (1 - (net(crops) * first).sum(1)).mean().backward()
    inside = crops.grad[..., 56:224, 44:212]
    assert (inside.abs() > 0).float().mean() > 0.99
    assert crops.grad.count_nonzero() == inside.count_nonzero()
    assert all(parameter.grad is None for parameter in net.parameters())


def test_the_published_sizes():
    """Parameters of ArcFace's IR-ResNet 18, 34, 50 and 100."""
    counts = {(2, 2, 2, 2): 24_025_600, (3, 4, 6, 3): 34_139_328, (3, 4, 14, 3): 43_590_848, (3, 13, 30, 3): 65_156_160}
    for layers, count in counts.items():
        with torch.device("meta"):
            net = IdentityNet(layers=layers)
        assert sum(p.numel() for p in net.parameters()) == count


def test_stages_must_end_at_seven_cells():
    with pytest.raises(ValueError, match="need 7 cells"):
        IdentityNet(layers=(1, 1), widths=(8, 8))


def test_saved_and_loaded(net, tmp_path):
    net.save_pretrained(str(tmp_path))
    again = IdentityNet.from_pretrained(str(tmp_path), low_cpu_mem_usage=False).eval()
    crop = torch.rand(1, 3, 128, 128)
    with torch.inference_mode():
        # weights elsewhere in memory: on some processors the last bits of a sum depend on that
        torch.testing.assert_close(net(crop), again(crop), rtol=1e-4, atol=1e-6)
