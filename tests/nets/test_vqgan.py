import pytest
import torch

from limner.nets.tiles import in_tiles
from limner.nets.vqgan import VQGAN


def tiny(**changes) -> VQGAN:
    torch.manual_seed(0)
    settings = {
        "sample_size": 32,
        "latent_channels": 4,
        "codebook_size": 16,
        "width": 8,
        "multipliers": (1, 2),
        "depth": 1,
        "middle": False,
        "groups": 0,
        "patch_size": 2,
    }
    net = VQGAN(**(settings | changes)).eval()
    generator = torch.Generator().manual_seed(1)
    for parameter in net.parameters():
        if parameter.abs().max() < 1e-3:  # ends of branches start at zero, and would hide what is inside them
            torch.nn.init.normal_(parameter, std=0.1, generator=generator)
    torch.nn.init.normal_(net.codebook.weight, generator=generator)
    return net


def picture(height=32, width=32, seed=0):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_the_published_size():
    net = VQGAN()
    assert sum(p.numel() for p in net.parameters()) == 57_183_515
    assert net.factor == 8


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"patch_size": 1, "multipliers": (1, 1, 2), "groups": 8, "middle": True},
        {"attention_levels": (1,)},
        {"patch_size": 4, "multipliers": (1, 2), "depth": 2},
        {"multipliers": (1,)},
    ],
)
def test_any_factor_width_and_attention(changes):
    net = tiny(**changes)
    latent = net.encode(picture(32, 48))
    assert latent.shape == (1, 4, 32 // net.factor, 48 // net.factor)
    assert net.decode(latent).shape == (1, 3, 32, 48)


def test_each_position_takes_its_nearest_code():
    net = tiny()
    latent = torch.randn(2, 4, 20, 30, generator=torch.Generator().manual_seed(2))
    codes, indices = net.quantise(latent)
    distances = (latent[:, None] - net.codebook.weight[None, :, :, None, None]).square().sum(dim=2)
    torch.testing.assert_close(indices, distances.argmin(dim=1))
    torch.testing.assert_close(codes, net.codebook.weight[indices].permute(0, 3, 1, 2))


def test_the_gradient_passes_straight_through_the_quantiser():
    net = tiny()
    latent = torch.randn(1, 4, 3, 3, generator=torch.Generator().manual_seed(3), requires_grad=True)
    weights = torch.randn(1, 4, 3, 3, generator=torch.Generator().manual_seed(4))
    (net.quantise(latent)[0] * weights).sum().backward()
    torch.testing.assert_close(latent.grad, weights)
    assert net.codebook.weight.grad is None


def test_forward_gives_the_codebook_its_gradient_and_can_leave_the_quantiser_out():
    net = tiny()
    out = net(picture())
    out.codes.sum().backward()
    assert net.codebook.weight.grad is not None and net.codebook.weight.grad.abs().sum() > 0
    torch.testing.assert_close(out.image, net.decode(net.encode(picture())))
    torch.testing.assert_close(net(picture(), quantise=False).image, net.decode(out.latent, quantise=False))
    assert (out.image - net(picture(), quantise=False).image).abs().max() > 1e-3


def test_indices_are_found_in_full_precision_under_autocast():
    net = tiny(codebook_size=512)
    latent = torch.randn(1, 4, 32, 32, generator=torch.Generator().manual_seed(5))
    with torch.autocast("cpu", torch.bfloat16):
        found = net.nearest(latent)
    assert torch.equal(found, net.nearest(latent))


@pytest.mark.slow
def test_a_normalised_latent_has_unit_deviation_and_decodes_alike():
    net = tiny(normalise_latent=True)
    raw = net.encode(picture())
    net.train()
    for _ in range(1500):
        with torch.no_grad():
            net(picture())
    net.eval()
    latent = net.encode(picture())
    assert latent.std().item() == pytest.approx(1, rel=0.02)
    assert raw.std().item() != pytest.approx(1, rel=0.1)
    torch.testing.assert_close(net.decode(latent), net(picture()).image)
    assert not any("latent_std" in name for name in tiny().state_dict())


def test_a_large_latent_is_decoded_in_tiles_that_agree_with_the_whole():
    net = tiny(sample_size=128)
    latent = net.encode(picture(160, 288))
    whole = net._decode(net.quantise(latent)[0])
    tiled = net.decode(latent)
    assert tiled.shape == (1, 3, 160, 288)
    # a convolution near the edge of a tile sees zeros in the place of its neighbours, which the blend fades out
    difference = (tiled - whole).abs()
    assert difference.mean() < 0.03 * whole.abs().mean()
    assert difference[..., :30, :60].max() < 1e-5  # before the first seam
    sizes = []

    def watch(module, inputs, output):
        sizes.append(max(inputs[0].shape[-2:]))

    net.from_latent.register_forward_hook(watch)
    net.decode(latent)
    assert len(sizes) > 1 and max(sizes) == 32


def test_tiles_of_a_local_net_are_exact_and_small_inputs_go_through_whole():
    x = torch.rand(1, 2, 50, 37, generator=torch.Generator().manual_seed(6))
    calls = []

    def double(piece):
        calls.append(piece.shape)
        return torch.nn.functional.interpolate(piece, scale_factor=2.0)

    torch.testing.assert_close(in_tiles(double, x, tile=16, overlap=4, factor=2), double(x))
    assert all(max(shape[-2:]) <= 16 for shape in calls[:-1])
    calls.clear()
    in_tiles(double, x, tile=16, overlap=4, factor=2, limit=50)
    assert len(calls) == 1
