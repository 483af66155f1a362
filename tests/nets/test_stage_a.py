"""LD-BFR's stage A and its dual cross-attention: the authors' outputs, and what they promise."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from limner.nets.dca import DualCrossAttention
from limner.nets.stage_a import StageA

from ..golden.ldbfr import cross_attention_of


def close(found: Tensor, expected: Tensor) -> None:
    """As close as the golden README asks: its numbers move by 3e-6 of the largest with another convolution."""
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-5 * expected.abs().max().item())


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# --- the authors' outputs -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def golden(shared: Path) -> dict[str, Tensor]:
    return load_file(shared / "golden/ldbfr/tiny_stage_a_io.safetensors")


@pytest.mark.parametrize("form", ["", "rect."])
@torch.no_grad()
def test_features(golden, tiny_ldbfr, form):
    expected = {name.removeprefix(form): tensor for name, tensor in golden.items() if name.startswith(form)}
    net, picture = tiny_ldbfr.stage_a, expected["in.lq"]
    out = net(picture / 2 + 0.5)
    assert torch.equal(out.indices, expected["indices"])
    close(net.vqgan.encoder(picture), expected["enc"])
    close(out.lq, expected["Y"])
    close(out.codes, expected["X"])
    close(out.feature, expected["F"])
    close(net.cross.affinity(out.lq), expected["channel_affinity"])
    close(net.cross.mix_channels(out.lq, out.codes), expected["X_prime"])


@torch.no_grad()
def test_pictures(golden, tiny_ldbfr):
    net = tiny_ldbfr.stage_a
    feature = net(golden["in.lq"] / 2 + 0.5).feature
    close(net.decode(feature), golden["image"])
    assert torch.equal(net.vqgan.nearest(feature), golden["F_requantised_indices"])
    close(net.decode(feature, quantise=True), golden["image_requantised"])
    close(net.one_step(golden["in.lq"] / 2 + 0.5), (golden["image"] / 2 + 0.5).clamp(0, 1))


@torch.no_grad()
def test_cross_attention_of_the_published_size(shared):
    net = cross_attention_of(shared / "golden/ldbfr")
    golden = load_file(shared / "golden/ldbfr/tiny_ddim_io.safetensors")
    lq, codes = golden["dca256.in.Y"], golden["dca256.in.X"]
    close(net.mix_channels(lq, codes), golden["dca256.X_prime"])
    close(net(lq, codes), golden["dca256.F"])


# --- dual cross-attention -----------------------------------------------------------------------------------


def small_cross(**settings) -> DualCrossAttention:
    torch.manual_seed(1)
    return DualCrossAttention(8, heads=2, head_channels=4, **settings)


@torch.no_grad()
def test_cross_attention_by_its_formula():
    net, lq, codes = small_cross(), noise(1, 8, 3, 5), noise(1, 8, 3, 5, seed=1)
    y, x = lq[0].flatten(1), codes[0].flatten(1)
    mixed = x + (y @ y.T).softmax(dim=1) @ x
    close(net.mix_channels(lq, codes)[0].flatten(1), mixed)

    def project(layer, tokens: Tensor) -> Tensor:
        return layer.weight[:, :, 0, 0] @ tokens + layer.bias[:, None]

    heads = []
    for head in (slice(0, 4), slice(4, 8)):
        query, key = project(net.query, y)[head], project(net.key, mixed)[head]
        heads.append(project(net.value, mixed)[head] @ (query.T @ key / 2).softmax(dim=1).T)
    close(net(lq, codes)[0].flatten(1), x + project(net.out, torch.cat(heads)))


@torch.no_grad()
def test_scaled_affinity_does_not_grow_with_the_picture():
    plain, scaled, lq = small_cross(), small_cross(scaled=True), noise(1, 8, 6, 6)
    close(scaled.affinity(lq), plain.affinity(lq / 6**0.5))
    for net in (plain, scaled):
        torch.testing.assert_close(net.affinity(lq).sum(dim=2), torch.ones(1, 8))
    assert plain.affinity(lq).diagonal(dim1=1, dim2=2).mean() > 0.99  # each channel attends to itself alone
    assert scaled.affinity(lq).diagonal(dim1=1, dim2=2).mean() < 0.99


@torch.no_grad()
def test_positions_begin_at_the_codes_and_tell_places_apart():
    lq, codes = noise(1, 8, 4, 4), noise(1, 8, 4, 4, seed=1)
    placed, free = small_cross(positions=True), small_cross()
    assert torch.equal(placed(lq, codes), codes)
    torch.nn.init.normal_(placed.out.weight)
    mirrored = [net(lq.flip(3), codes.flip(3)).flip(3) - net(lq, codes) for net in (free, placed)]
    assert mirrored[0].abs().max() < 1e-5 < 1e-2 < mirrored[1].abs().max()


def test_heads_may_be_wider_than_the_channels():
    net = DualCrossAttention(8, heads=2, head_channels=16)
    assert net.query.weight.shape[0] == 32
    assert net(noise(1, 8, 2, 2), noise(1, 8, 2, 2)).shape == (1, 8, 2, 2)


# --- stage A ------------------------------------------------------------------------------------------------


def small(**settings) -> StageA:
    torch.manual_seed(2)
    sizes = {"latent_channels": 8, "codebook_size": 16, "width": 8, "multipliers": (1, 2), "depth": 1}  # factor 2
    net = StageA(sample_size=16, attention_levels=(), groups=4, heads=2, **sizes, **settings).eval()
    torch.nn.init.normal_(net.vqgan.codebook.weight)
    return net


def picture(height: int = 16, width: int = 16) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(3))


def test_the_published_size():
    with torch.device("meta"):
        net = StageA()
    assert sum(parameter.numel() for parameter in net.parameters()) == 72_936_003
    assert (net.vqgan.factor, net.grid) == (32, 16)


@torch.no_grad()
def test_restoring_gives_pictures():
    restored = small().one_step(picture(16, 24))
    assert restored.shape == (1, 3, 16, 24) and restored.dtype == torch.float32
    assert 0 <= restored.min() < restored.max() <= 1


@torch.no_grad()
def test_an_untrained_estimator_changes_nothing():
    lq, plain = picture(), small()
    helped = small(estimator_config={"sample_size": 16, "patch_size": 2, "widths": (8,), "depths": (1,)})
    helped.load_state_dict(plain.state_dict(), strict=False)
    close(helped(lq).feature, plain(lq).feature)
    torch.nn.init.normal_(helped.get_parameter("estimator.head.weight"))
    assert (helped(lq).feature - plain(lq).feature).abs().max() > 1e-3


@torch.no_grad()
def test_a_normalised_latent_is_divided_and_decodes_alike():
    lq, plain, normalised = picture(), small(), small(normalise_latent=True)
    normalised.load_state_dict(plain.state_dict(), strict=False)
    normalised.vqgan.latent_std.fill_(2)
    was, out = plain(lq), normalised(lq)
    assert torch.equal(was.indices, out.indices)
    close(2 * out.lq, was.lq)
    close(2 * out.codes, was.codes)
    close(normalised.decode(out.codes), plain.decode(was.codes))
    assert torch.equal(normalised.vqgan.nearest(2 * out.codes), out.indices)


def test_the_encoder_learns_through_the_codes():
    net = small()
    net(picture()).codes.square().sum().backward()
    moved = net.vqgan.encoder.stem.weight.grad
    assert moved is not None and moved.any()
    assert net.vqgan.codebook.weight.grad is None
    assert set(net.trained_parts()) == {"cross", "encoder"}
