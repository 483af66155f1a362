"""LaMa against the authors' output, and what must not change with size, layout or dtype."""

import copy
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from limner.nets.lama import FourierUnit, LaMa
from limner.weights.formats import lama


@pytest.fixture(scope="module")
def golden(shared: Path) -> dict[str, torch.Tensor]:
    return load_file(shared / "golden/difface/tiny_io_inpainting.safetensors")


@pytest.fixture(scope="module")
def published(shared: Path) -> LaMa:
    return lama.load(shared / "golden/difface/tiny_lama.safetensors")


def tiny() -> LaMa:
    torch.manual_seed(0)
    return LaMa(32, 8, 2, 1).eval()


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@torch.no_grad()
def test_equals_the_published_network(golden, published, layout):
    face = golden["in.y0_masked"].contiguous(memory_format=layout)
    assert (published(face, golden["inpaint.mask"]) - golden["lama.out"]).abs().max() < 1e-5


@torch.no_grad()
def test_bf16_stays_near_and_answers_in_the_pictures_dtype(golden, published):
    net = copy.deepcopy(published)
    torch.nn.Module.to(net, torch.bfloat16)
    filled = net(golden["in.y0_masked"], golden["inpaint.mask"])
    assert filled.dtype == torch.float32
    assert (filled - golden["lama.out"]).square().mean().sqrt() < 0.01


def test_has_the_published_number_of_parameters():
    with torch.device("meta"):
        net = LaMa()
    assert sum(parameter.numel() for parameter in net.parameters()) == 50_975_875


@torch.no_grad()
def test_any_size_is_continued_by_reflection_and_cropped():
    net, face, mask = tiny(), torch.rand(1, 3, 21, 30), (torch.rand(1, 1, 21, 30) < 0.2).float()
    whole = [torch.nn.functional.pad(one, (0, 2, 0, 3), mode="reflect") for one in (face, mask)]
    filled = net(face, mask)
    assert filled.shape == face.shape
    torch.testing.assert_close(filled, net(*whole)[..., :21, :30])


@torch.no_grad()
def test_it_sees_all_of_the_picture():
    """Far from a changed pixel, and from all convolutions that reach it, the result changes too."""
    net, face = tiny(), torch.rand(1, 3, 128, 128)
    changed = face.clone()
    changed[..., :4, :4] = 1 - changed[..., :4, :4]
    mask = torch.zeros(1, 1, 128, 128)
    assert (net(face, mask) - net(changed, mask))[..., 120:, 120:].abs().max() > 0


def test_the_fourier_unit_is_a_circular_convolution():
    """Where the mixing is the identity and nothing is cut off, frequencies come back as they were."""
    unit = FourierUnit(1).eval()
    with torch.no_grad():
        unit.conv.weight.copy_(torch.eye(2)[..., None, None])
        unit.norm.running_mean.fill_(-50)  # lifts both parts above ReLU's zero
        unit.norm.running_var.fill_(1 - unit.norm.eps)
        wave = torch.rand(1, 1, 8, 8)
        lifted = torch.fft.irfft2(
            torch.fft.rfft2(wave, norm="ortho") + torch.complex(*torch.tensor([50.0, 50.0])), s=(8, 8), norm="ortho"
        )
        torch.testing.assert_close(unit(wave), lifted, rtol=1e-3, atol=1e-3)


def test_every_parameter_learns():
    net = tiny().train()
    net(torch.rand(2, 3, 32, 32), torch.ones(2, 1, 32, 32)).square().mean().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().max() > 0, name


@torch.no_grad()
def test_saves_and_loads(tmp_path):
    net, face, mask = tiny(), torch.rand(1, 3, 32, 32), torch.ones(1, 1, 32, 32)
    net.save_pretrained(tmp_path)
    assert torch.equal(LaMa.from_pretrained(tmp_path).eval()(face, mask), net(face, mask))
