"""The autoencoder whose decoder doubles the side (docs/methods/ldbfr.md, eq. (6))."""

import pytest
import torch
from safetensors.torch import load_file

from limner.nets.vqgan import VQGAN


def close(found, expected):
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-5 * expected.abs().max().item())


@pytest.fixture(scope="module")
def golden(shared):
    return load_file(shared / "golden/ldbfr/tiny_target_first_stage_io.safetensors")


@torch.no_grad()
def test_the_authors_outputs(golden, tiny_ldbfr):
    net = tiny_ldbfr.vqgan
    latent = net.encode(golden["in.gt"])
    close(latent, golden["z0"])
    assert torch.equal(net.nearest(latent), golden["indices"])
    close(net.decode(latent), golden["image"])
    close(net.decode(latent, quantise=False), golden["image_not_quantised"])


@torch.no_grad()
def test_the_authors_sample(golden, tiny_ldbfr):
    net, latent = tiny_ldbfr.vqgan, golden["ddim_z_first"]
    assert torch.equal(net.nearest(latent), golden["ddim_indices"])
    close(net.decode(latent), golden["ddim_image"])


SIZES = {"latent_channels": 3, "codebook_size": 16, "width": 8, "multipliers": (1, 2), "depth": 1, "groups": 4}


@pytest.mark.parametrize("patch_size", [1, 2])
@torch.no_grad()
def test_pictures_come_back_twice_as_large(patch_size):
    net = VQGAN(sample_size=32, asymmetric=True, patch_size=patch_size, **SIZES).eval()
    assert net.decoded_factor == 2 * net.factor == 4 * patch_size
    out = net(torch.rand(1, 3, 16, 24))
    assert out.latent.shape == (1, 3, 8 // patch_size, 12 // patch_size)
    assert out.image.shape == (1, 3, 32, 48)


@torch.no_grad()
def test_tiles_of_a_large_latent_lie_where_they_belong():
    torch.manual_seed(0)
    net = VQGAN(sample_size=64, asymmetric=True, middle=False, **{**SIZES, "groups": 0}).eval()
    torch.nn.init.normal_(net.codebook.weight)
    latent = torch.randn(1, 3, 32, 80)
    whole, tiled = net._decode(net.quantise(latent)[0]), net.decode(latent)
    assert tiled.shape == (1, 3, 128, 320)
    assert (tiled - whole).abs().mean() < 0.03 * whole.abs().mean()


def test_the_published_size():
    with torch.device("meta"):
        net = VQGAN(sample_size=256, latent_channels=3, multipliers=(1, 2, 4), asymmetric=True)
    assert sum(parameter.numel() for parameter in net.decoder.beyond.parameters()) == 443_264
    assert sum(parameter.numel() for parameter in net.parameters()) == 55_322_782 + 443_264
