"""LD-BFR's injection into a frozen U-Net: the authors' outputs, and what it promises."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from limner.methods.schedules import ldbfr_schedule
from limner.nets.attention import Attention
from limner.nets.injection import Injected, Injection, ModulationBlock, attention_places
from limner.nets.unet import UNet

from ..golden import full_width
from ..golden.ldbfr import LAYERS


def close(found: Tensor, expected: Tensor) -> None:
    """As close as the golden README asks: its numbers move by 3e-6 of the largest with another convolution."""
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-5 * expected.abs().max().item())


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# --- the authors' outputs -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "golden/ldbfr"


@pytest.fixture(scope="module")
def golden(folder: Path) -> dict[str, Tensor]:
    return load_file(folder / "tiny_unet_io.safetensors")


@torch.no_grad()
def test_noise_under_a_feature(golden, tiny_ldbfr):
    _, unet, injection, _ = tiny_ldbfr
    x, t, feature = golden["in.z_t"], golden["in.t"], golden["in.F"]
    close(injection(unet, x, t, feature), golden["eps"])
    close(injection(unet, x, t, feature.flip(0)), golden["eps_other_F"])
    assert (unet(x, t) - golden["eps"]).abs().max() > 0.1


@torch.no_grad()
def test_the_loss(golden, tiny_ldbfr):
    _, unet, injection, _ = tiny_ldbfr
    drawn, t = golden["loss.in.noise"], golden["loss.in.t"]
    x = ldbfr_schedule().add_noise(golden["loss.in.z0"], drawn, t)
    close(x, golden["loss.z_t"])
    predicted = injection(unet, x, t, golden["in.F"])
    close(predicted, golden["loss.eps"])
    close((predicted - drawn).square().mean(), golden["loss.value"])


def test_feature_on_the_grid_of_each_level(golden, tiny_ldbfr):
    for level in (1, 2):
        close(tiny_ldbfr.injection.condition(golden["in.F"], level), golden[f"cond.r{2**level}"])


@pytest.mark.parametrize("name", LAYERS)
@torch.no_grad()
def test_each_kind_of_block(golden, tiny_ldbfr, name):
    _, unet, injection, _ = tiny_ldbfr
    layer = LAYERS[name]
    attention = [part for part in unet.modules() if isinstance(part, Attention)][layer]
    close(attention(golden[f"block.{name}.in.x"]), golden[f"block.{name}.u"])
    injected = Injected(injection, golden["in.F"])
    close(injected(layer, golden[f"block.{name}.u"]), golden[f"block.{name}.out"])


def test_every_recorded_block_is_compared(golden):
    assert {name.split(".")[1] for name in golden if name.startswith("block.")} == LAYERS.keys()


@pytest.mark.parametrize("name", full_width.BLOCKS)
@torch.no_grad()
def test_blocks_of_the_published_width(folder, name):
    golden = load_file(folder / "fullwidth_blocks_io.safetensors")
    facts = json.loads((folder / "fullwidth_blocks_fingerprint.json").read_text())[name]
    tensors = full_width.drawn({key: fact["shape"] for key, fact in facts.items()})
    for key, tensor in tensors.items():
        found = full_width.fingerprint(tensor)
        assert found == pytest.approx({kind: facts[key][kind] for kind in found}, rel=1e-6, abs=1e-6), (
            f"torch {torch.__version__} draws other normal numbers than the 2.13 of the golden data ({key}), so the "
            "full-width blocks can't be compared: record them anew, or test with torch 2.13"
        )
    close(full_width.block(name, tensors)(golden[f"{name}.in.x"], golden["in.F"]), golden[f"{name}.out"])


# --- places and grids ---------------------------------------------------------------------------------------


def test_the_published_size():
    with torch.device("meta"):
        net, unet = Injection(), UNet(64, 3, 3, 224, (1, 2, 3, 4), (2,) * 4, (1, 2, 3), 32, scale_shift=False)
        made = Injection.for_unet(unet, (1, 2), condition_channels=256, condition_side=16, positions=False)
    assert sum(parameter.numel() for parameter in net.parameters()) == 71_657_152
    assert sum(parameter.numel() for parameter in unet.parameters()) == 274_056_163
    places = [(place.layer, place.level, place.channels, place.half) for place in net.places.values()]
    assert places == [
        *((layer, 1, 448, "down") for layer in (0, 1)),
        *((layer, 2, 672, "down") for layer in (2, 3)),
        *((layer, 2, 672, "up") for layer in (10, 11, 12)),
        *((layer, 1, 448, "up") for layer in (13, 14, 15)),
    ]
    assert made.state_dict().keys() == net.state_dict().keys()
    assert made.config["condition_scale"] == net.config["condition_scale"] == 4


UNETS = {
    "group-normalised": {"groups": 4},
    "without normalisation": {"groups": 0, "attention_positions": True},
    "on patches": {"groups": 4, "patch_size": 2},
    "of uneven depths": {"groups": 4, "multipliers": (1, 2, 2), "depths": (1, 2, 1), "attention_levels": (1, 2)},
}


def prior(**settings) -> UNet:
    torch.manual_seed(0)
    sizes = {"width": 8, "multipliers": (1, 2), "depths": (1, 1), "attention_levels": (0, 1), "head_channels": 4}
    net = UNet(16, 3, 3, scale_shift=False, **(sizes | settings)).eval()
    generator = torch.Generator().manual_seed(1)
    for parameter in net.parameters():
        if not parameter.any():  # ends of branches start at zero, and would hide what is inside them
            nn.init.normal_(parameter, std=0.1, generator=generator)
    return net


def injection_for(unet: UNet, side: int = 8, positions: bool = False) -> Injection:
    torch.manual_seed(1)
    levels = unet.config["attention_levels"]
    return Injection.for_unet(unet, levels, condition_channels=16, condition_side=side, positions=positions).eval()


def opened(injection: Injection) -> Injection:
    """With ends that let something through."""
    for name, parameter in injection.named_parameters():
        if name.endswith("end.weight"):
            nn.init.normal_(parameter, std=0.1, generator=torch.Generator().manual_seed(2))
    return injection


@pytest.mark.parametrize("kind", UNETS)
def test_places_are_those_of_the_attention(kind):
    unet = prior(**UNETS[kind])
    names = ("width", "multipliers", "depths", "attention_levels")
    places = list(attention_places(*(unet.config[name] for name in names)))
    layers = [part for part in unet.modules() if isinstance(part, Attention)]
    assert [place.channels for place in places] == [layer.out.in_channels for layer in layers]
    assert injection_for(unet).places == {place.layer: place for place in places if place.half != "middle"}


@pytest.mark.parametrize("positions", [False, True])
@pytest.mark.parametrize("side", [4, 8, 16])
@pytest.mark.parametrize("kind", UNETS)
@torch.no_grad()
def test_untrained_it_changes_nothing(kind, side, positions):
    unet = prior(**UNETS[kind])
    injection = injection_for(unet, side, positions)
    x, t, feature = noise(2, 3, 16, 16), torch.tensor([3, 700]), noise(2, 16, side, side, seed=1)
    before = unet(x, t)
    assert torch.equal(injection(unet, x, t, feature), before)
    opened(injection)
    changed = injection(unet, x, t, feature)
    assert (changed - before).abs().max() > 1e-3
    assert (injection(unet, x, t, 2 * feature) - changed).abs().max() > 1e-4


@torch.no_grad()
def test_untrained_it_changes_nothing_of_the_authors_net(golden, tiny_ldbfr):
    unet = tiny_ldbfr.unet
    fresh = Injection.for_unet(unet, (1, 2), condition_channels=64, condition_side=8, positions=False).eval()
    x, t = golden["in.z_t"], golden["in.t"]
    assert torch.equal(fresh(unet, x, t, golden["in.F"]), unet(x, t))


@pytest.mark.parametrize(("side", "channels"), [(16, (16, 64)), (8, (4, 16)), (4, (1, 4))])
def test_channels_and_grids_of_the_condition(side, channels):
    injection = injection_for(prior(groups=4), side)
    for level, expected in enumerate(channels):
        grid = 16 // 2**level
        assert injection.condition(noise(1, 16, side, side), level).shape == (1, expected, grid, grid)


# --- blocks -------------------------------------------------------------------------------------------------


@torch.no_grad()
def test_each_row_sees_its_own_feature():
    unet = prior(groups=4)
    injection = opened(injection_for(unet))
    x, feature = noise(1, 3, 16, 16).expand(2, -1, -1, -1), noise(2, 16, 8, 8, seed=1)
    both = injection(unet, x, torch.tensor([5, 5]), feature)
    for row in range(2):
        alone = injection(unet, x[:1], torch.tensor([5]), feature[row, None])
        close(both[row, None], alone)
    assert (both[0] - both[1]).abs().max() > 1e-3


def test_every_parameter_learns_and_the_prior_stays():
    unet = prior(groups=4).requires_grad_(False)
    injection = opened(injection_for(unet, positions=True))
    injection(unet, noise(1, 3, 16, 16), torch.tensor([5]), noise(1, 16, 8, 8, seed=1)).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in injection.parameters())
    assert all(parameter.grad is None for parameter in unet.parameters())


@torch.no_grad()
def test_modulation_knows_places_only_with_positions():
    x, condition = noise(1, 8, 4, 4), noise(1, 4, 4, 4, seed=1)
    moved = {}
    for positions in (False, True):
        torch.manual_seed(3)
        block = ModulationBlock(8, 4, head_channels=4, positions=positions)
        nn.init.normal_(block.end.weight)
        there = block(x, condition.roll(1, dims=3))
        moved[positions] = (block(x.roll(1, dims=3), condition.roll(2, dims=3)) - there.roll(1, dims=3)).abs().max()
    assert moved[False] < 1e-5 < 1e-2 < moved[True]
