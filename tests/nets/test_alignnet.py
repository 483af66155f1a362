"""AlignNet's shapes, size and habits."""

import numpy as np
import pytest
import torch

from limner.nets.alignnet import AlignNet, upright_points


@pytest.fixture(scope="module")
def net() -> AlignNet:
    torch.manual_seed(0)
    return AlignNet().eval()


@torch.inference_mode()
def test_shapes(net):
    logits, points, heat = net(torch.rand(3, 3, 96, 96))
    assert logits.shape == (3,) and points.shape == (3, 5, 2)
    assert heat.shape == (3, 5, 24, 24)
    assert logits.dtype == points.dtype == torch.float32


def test_it_fits_in_five_and_a_half_megabytes_of_float16(net):
    assert 2 * sum(p.numel() for p in net.parameters()) < 5_500_000


@torch.inference_mode()
def test_a_patch_is_judged_alike_alone_and_in_a_batch(net):
    patches = torch.rand(4, 3, 96, 96)
    logits, points, _ = net(patches)
    for index in range(4):
        logit, five, _ = net(patches[index : index + 1])
        torch.testing.assert_close(logit[0], logits[index], atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(five[0], points[index], atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_brightness_and_contrast_hardly_matter(net):
    patch = torch.rand(1, 3, 96, 96)
    _, points, _ = net(patch)
    _, faded, _ = net(0.3 + 0.4 * patch)
    torch.testing.assert_close(points, faded, atol=0.02, rtol=0)
    assert torch.isfinite(net(torch.zeros(1, 3, 96, 96))[0]).all()


def test_the_expectation_of_a_peak_is_its_pixel(net):
    heat = torch.full((1, 5, 24, 24), -50.0)
    heat[0, :, 7, 12] = 50.0
    x, y = (net._expectation(heat)[0, 0] * 96).tolist()
    # cell 12 covers the pixels 48 to 51, cell 7 those from 28 to 31
    assert (x, y) == pytest.approx((49.5, 29.5), abs=1e-4)


def test_saved_and_loaded(net, tmp_path):
    net.save_pretrained(str(tmp_path))
    again = AlignNet.from_pretrained(str(tmp_path), low_cpu_mem_usage=False).eval()
    patch = torch.rand(1, 3, 96, 96)
    with torch.inference_mode():
        assert torch.equal(net(patch)[1], again(patch)[1])


def test_upright_points_lie_inside_and_centred():
    points = upright_points(96)
    assert points.min() > 20 and points.max() < 76
    assert abs(points[:, 0].mean() - 48) < 0.5
    np.testing.assert_allclose(upright_points(1) * 96, points)


def test_another_sample_size():
    net = AlignNet(sample_size=64, widths=(8, 16, 16))
    assert net(torch.rand(2, 3, 64, 64))[1].shape == (2, 5, 2)
