"""DifFace's U-Net: golden outputs through it, and not one name or shape taken on trust."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from limner.errors import WeightsError
from limner.nets.attention import Attention
from limner.nets.unet import UNet
from limner.weights.formats import adm
from limner.weights.formats.adm import adm_config, adm_names, build_adm_unet

FILE = Path("published.pth")


@pytest.fixture(scope="module")
def difface(shared: Path) -> Path:
    return shared / "golden/difface"


@pytest.fixture(scope="module")
def golden(difface: Path) -> dict[str, Tensor]:
    return load_file(difface / "tiny_io_restoration.safetensors")


@pytest.fixture(scope="module")
def manifest(difface: Path) -> dict:
    return json.loads((difface / "manifest.json").read_text())


def from_manifest(entry: dict) -> dict[str, Tensor]:
    """The file's tensors without their gigabyte."""
    return {name: torch.empty(fact["shape"], device="meta") for name, fact in entry["keys"].items()}


@torch.no_grad()
def test_unet_equals_the_published_network(difface, golden):
    net = adm.load(difface / "tiny_unet.safetensors", head_channels=16)
    out = net(golden["in.x_t"], golden["in.t"].reshape(1))
    assert (out - golden["unet.out"]).abs().max() < 2e-5
    pair = torch.cat([golden["in.x_t"], -golden["in.x_t"]])
    assert (net(pair, torch.tensor([396, 0])) - golden["unet.out_b2"]).abs().max() < 2e-5


@torch.no_grad()
def test_the_width_of_a_head_matters(difface, golden):
    """No shape tells it, so a test must: with the published width the tiny net gives something else."""
    net = adm.load(difface / "tiny_unet.safetensors")
    out = net(golden["in.x_t"], golden["in.t"].reshape(1))
    assert (out - golden["unet.out"]).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("name", "expected", "attentions"),
    [
        (
            "unet_iddpm_ffhq512",
            {
                "sample_size": 512,
                "width": 32,
                "multipliers": (1, 2, 4, 8, 8, 16, 16),
                "depths": (1, 2, 2, 2, 2, 3, 4),
                "attention_levels": (4, 5, 6),
            },
            22,
        ),
        (
            "unet_iddpm_ffhq256_inpaint",
            {
                "sample_size": 256,
                "width": 128,
                "multipliers": (1, 1, 2, 2, 4, 4),
                "depths": (2, 2, 2, 2, 2, 2),
                "attention_levels": (4, 5),
            },
            11,
        ),
    ],
)
def test_unets_of_the_published_sizes(manifest, name, expected, attentions):
    net = build_adm_unet(from_manifest(manifest[name]), FILE)
    both = {"in_channels": 3, "out_channels": 6, "head_channels": 64, "scale_shift": True, "patch_size": 1}
    assert {key: net.config[key] for key in expected | both} == expected | both
    assert sum(parameter.numel() for parameter in net.parameters()) == manifest[name]["params"]
    assert sum(key.endswith("qkv.weight") for key in net.state_dict()) == attentions
    assert adm_names(net).keys() == manifest[name]["keys"].keys()


UNETS = {
    "unet_iddpm_ffhq512": "input_blocks.12.1.qkv.weight",
    "unet_iddpm_ffhq256_inpaint": "output_blocks.2.2.conv.bias",
}


@pytest.mark.parametrize(("net", "name"), UNETS.items())
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda tensors, name: tensors.pop(name), r"{name} is missing\."),
        (lambda tensors, name: tensors.update(more=torch.zeros(2)), r"more is not expected\."),
        (
            lambda tensors, name: tensors.update({name: torch.zeros(7, 5)}),
            r"{name} \(7x5 instead of [0-9x]+\) is of another shape\.",
        ),
    ],
)
def test_a_fault_is_named(manifest, net, name, spoil, message):
    tensors = from_manifest(manifest[net])
    spoil(tensors, name)
    with pytest.raises(WeightsError, match=r"published.pth don't fit UNet: " + message.format(name=name)):
        build_adm_unet(tensors, FILE)


@pytest.mark.parametrize("net", UNETS)
def test_no_tensor_can_be_left_out(manifest, net):
    """Whatever is missing, the error is ours and says its name."""
    whole = from_manifest(manifest[net])
    for name in list(whole)[:: max(1, len(whole) // 8)]:
        with pytest.raises(WeightsError, match=name.replace(".", r"\.")):
            build_adm_unet({other: tensor for other, tensor in whole.items() if other != name}, FILE)


def test_many_faults_are_counted(manifest):
    tensors = from_manifest(manifest["unet_iddpm_ffhq512"])
    spoilt = {name: tensor for name, tensor in tensors.items() if "middle_block.2" not in name}
    spoilt |= {"a": torch.zeros(1), "b": torch.zeros(1)}
    with pytest.raises(
        WeightsError, match=r"middle_block\.2\S+, \S+, \S+ and 7 more are missing; a, b are not expected"
    ):
        build_adm_unet(spoilt, FILE)


@pytest.mark.parametrize("name", ["time_embed.0.weight", "out.2.weight"])
def test_a_file_of_another_kind(difface, name):
    tensors = load_file(difface / "tiny_unet.safetensors")
    with pytest.raises(WeightsError, match=rf"{name} is missing"):
        build_adm_unet({other: tensor for other, tensor in tensors.items() if other != name}, FILE)


def test_another_file_is_not_taken_for_it(difface):
    with pytest.raises(WeightsError, match=r"tiny_swinir.*time_embed\.0\.weight is missing"):
        adm.load(difface / "tiny_swinir.safetensors")


def test_a_tensor_of_the_wrong_rank_where_sizes_are_read(difface):
    tensors = load_file(difface / "tiny_unet.safetensors") | {"time_embed.0.weight": torch.zeros(3)}
    with pytest.raises(WeightsError, match=r"time_embed\.0\.weight has the shape 3"):
        build_adm_unet(tensors, FILE)


# --- what no shape tells --------------------------------------------------------------------------------------


def saved(net: UNet, path: Path) -> Path:
    """A net of ours under ADM's names, none of whose layers is idle."""
    torch.manual_seed(0)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    own = net.state_dict()
    save_file({theirs: own[ours].contiguous() for theirs, ours in adm_names(net).items()}, path)
    return path


def heads(net: UNet) -> list[int]:
    return [layer.heads for layer in net.modules() if isinstance(layer, Attention)]


WIDE_MIDDLE = {"sample_size": 32, "width": 32, "multipliers": (2, 3), "depths": (1, 1), "attention_levels": (0,)}
"""Attention at 64 channels and, in the middle, at 96."""


def test_a_middle_that_the_published_heads_do_not_divide(tmp_path):
    path = saved(UNet(**WIDE_MIDDLE, head_channels=32), tmp_path / "net.safetensors")
    with pytest.raises(
        WeightsError,
        match=r"heads of 64 channels: their levels have 64, their middle has 96; no shape tells the width of a head, "
        r"so give one that divides them as head_channels \(at most 32\)",
    ):
        adm.load(path)


def test_a_middle_alone_that_they_do_not_divide(tmp_path):
    alone = WIDE_MIDDLE | {"multipliers": (1, 3), "attention_levels": ()}
    path = saved(UNet(**alone, head_channels=48), tmp_path / "net.safetensors")
    with pytest.raises(WeightsError, match=r"their levels have no attention, their middle has 96; .*at most 96"):
        adm.load(path)
    assert heads(adm.load(path, head_channels=48)) == [2]


@torch.no_grad()
@pytest.mark.parametrize("width", [16, 32])
def test_sizes_that_are_told(tmp_path, width):
    net = UNet(**WIDE_MIDDLE, head_channels=width).eval()
    back = adm.load(saved(net, tmp_path / "net.safetensors"), head_channels=width, sample_size=32)
    assert heads(back) == heads(net) == [64 // width, 96 // width, 64 // width, 64 // width]
    assert back.config["sample_size"] == 32
    x, t = torch.randn(1, 3, 32, 32), torch.tensor([5])
    torch.testing.assert_close(back(x, t), net(x, t))  # the file's tensors begin elsewhere in memory than the net's


def test_groups_that_are_told(tmp_path):
    path = saved(UNet(32, width=48, multipliers=(1, 2), depths=(1, 1), groups=16, attention_levels=()), tmp_path / "a")
    with pytest.raises(WeightsError, match=r"of 32 groups: their levels have multiples of 48 .* as groups"):
        adm.load(path, head_channels=96)
    assert adm.load(path, head_channels=96, groups=16).config["groups"] == 16


def test_heads_that_do_not_divide_the_channels(difface):
    with pytest.raises(WeightsError, match=r"can't have attention heads of 48 channels: their levels have 64"):
        adm_config(load_file(difface / "tiny_unet.safetensors"), FILE, head_channels=48)
