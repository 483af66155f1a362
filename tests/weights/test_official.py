"""The published checkpoints: golden outputs through them, and not one name or shape taken on trust."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from limner.errors import WeightsError
from limner.nets.swinir import SwinIR, relative_position_index
from limner.nets.unet import UNet
from limner.weights.catalogue import find
from limner.weights.formats.adm import adm_config, adm_names, build_adm_unet, load_difface_unet
from limner.weights.formats.swinir import build_swinir, load_swinir
from limner.weights.load import load_net
from limner.weights.official import convert

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
    """The file's tensors without their gigabyte: on the meta device, but for the position indices."""
    index = relative_position_index(8, torch.device("cpu"))
    return {
        name: index if name.endswith("relative_position_index") else torch.empty(fact["shape"], device="meta")
        for name, fact in entry["keys"].items()
    }


def parameters(net: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


@torch.no_grad()
def test_unet_equals_the_published_network(difface, golden):
    net = load_difface_unet(difface / "tiny_unet.safetensors", head_channels=16)
    out = net(golden["in.x_t"], golden["in.t"].reshape(1))
    assert (out - golden["unet.out"]).abs().max() < 2e-5
    pair = torch.cat([golden["in.x_t"], -golden["in.x_t"]])
    assert (net(pair, torch.tensor([396, 0])) - golden["unet.out_b2"]).abs().max() < 2e-5


@torch.no_grad()
def test_the_width_of_a_head_matters(difface, golden):
    """No shape tells it, so a test must: with the published width the tiny net gives something else."""
    net = load_difface_unet(difface / "tiny_unet.safetensors")
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
    assert parameters(net) == manifest[name]["params"]
    assert sum(key.endswith("qkv.weight") for key in net.state_dict()) == attentions
    assert adm_names(net).keys() == manifest[name]["keys"].keys()


def test_swinir_of_the_published_size(manifest):
    entry = manifest["swinir_restoration512"]
    net = build_swinir(from_manifest(entry), FILE)
    assert parameters(net) == entry["params"] == 15_792_587
    with torch.device("meta"):
        defaults = SwinIR()
    settings = defaults.config.keys() - {"_use_default_values"}
    assert {key: net.config[key] for key in settings} == {key: defaults.config[key] for key in settings}


NAMES = {
    "unet_iddpm_ffhq512": "input_blocks.12.1.qkv.weight",
    "unet_iddpm_ffhq256_inpaint": "output_blocks.2.2.conv.bias",
    "swinir_restoration512": "layers.3.residual_group.blocks.1.attn.proj.weight",
}


@pytest.mark.parametrize(("net", "name"), NAMES.items())
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda tensors, name: tensors.pop(name),
            r"published.pth don't fit (UNet|SwinIR): {name} is missing\.",
        ),
        (
            lambda tensors, name: tensors.update(more=torch.zeros(2)),
            r"published.pth don't fit (UNet|SwinIR): more is not expected\.",
        ),
        (
            lambda tensors, name: tensors.update({name: torch.zeros(7, 5)}),
            r"published.pth don't fit (UNet|SwinIR): {name} \(7x5 instead of [0-9x]+\) is of another shape\.",
        ),
    ],
)
def test_a_fault_is_named(manifest, net, name, spoil, message):
    tensors = from_manifest(manifest[net])
    spoil(tensors, name)
    build = build_swinir if net.startswith("swinir") else build_adm_unet
    with pytest.raises(WeightsError, match=message.format(name=name.replace(".", r"\."))):
        build(tensors, FILE)


@pytest.mark.parametrize("net", NAMES)
def test_no_tensor_can_be_left_out(manifest, net):
    """Whatever is missing, the error is ours and says its name."""
    build = build_swinir if net.startswith("swinir") else build_adm_unet
    whole = from_manifest(manifest[net])
    for name in list(whole)[:: max(1, len(whole) // 8)]:
        with pytest.raises(WeightsError, match=name.replace(".", r"\.")):
            build({other: tensor for other, tensor in whole.items() if other != name}, FILE)


def test_many_faults_are_counted(manifest):
    tensors = from_manifest(manifest["unet_iddpm_ffhq512"])
    spoilt = {name: tensor for name, tensor in tensors.items() if "middle_block.2" not in name}
    spoilt |= {"a": torch.zeros(1), "b": torch.zeros(1)}
    with pytest.raises(
        WeightsError, match=r"middle_block\.2\S+, \S+, \S+ and 7 more are missing; a, b are not expected"
    ):
        build_adm_unet(spoilt, FILE)


def test_shift_tables_of_swinir_are_checked(difface):
    tensors = load_file(difface / "tiny_swinir.safetensors")
    index = "layers.0.residual_group.blocks.0.attn.relative_position_index"
    with pytest.raises(WeightsError, match="attn_mask is missing"):
        build_swinir(
            {name: tensor for name, tensor in tensors.items() if "layers.1" not in name or "mask" not in name},
            FILE,
        )
    with pytest.raises(WeightsError, match=r"order the positions in a window in another way \(layers\.0"):
        build_swinir(tensors | {index: tensors[index].flip(0)}, FILE)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("time_embed.0.weight", r"time_embed\.0\.weight is missing"),
        ("out.2.weight", r"out\.2\.weight is missing"),
    ],
)
def test_a_file_of_another_kind(difface, name, message):
    tensors = load_file(difface / "tiny_unet.safetensors")
    with pytest.raises(WeightsError, match=message):
        build_adm_unet({other: tensor for other, tensor in tensors.items() if other != name}, FILE)


def test_files_are_not_taken_for_each_other(difface):
    with pytest.raises(WeightsError, match=r"tiny_swinir.*time_embed\.0\.weight is missing"):
        load_difface_unet(difface / "tiny_swinir.safetensors")
    with pytest.raises(WeightsError, match=r"tiny_unet.*conv_first\.1\.weight is missing"):
        load_swinir(difface / "tiny_unet.safetensors")


def test_a_tensor_of_the_wrong_rank_where_sizes_are_read(difface):
    tensors = load_file(difface / "tiny_unet.safetensors") | {"time_embed.0.weight": torch.zeros(3)}
    with pytest.raises(WeightsError, match=r"time_embed\.0\.weight has the shape 3"):
        build_adm_unet(tensors, FILE)


def test_heads_that_do_not_divide_the_channels(difface):
    with pytest.raises(WeightsError, match=r"can't have attention heads of 48 channels: their levels have 64"):
        adm_config(load_file(difface / "tiny_unet.safetensors"), FILE, head_channels=48)


@pytest.mark.parametrize("wrap", [lambda state: state, lambda state: {"state_dict": state}])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_checkpoints_as_they_are_published(difface, golden, tmp_path, wrap, prefix):
    tensors = load_file(difface / "tiny_swinir.safetensors")
    path = tmp_path / "published.pth"
    torch.save(wrap({prefix + name: tensor for name, tensor in tensors.items()}), path)
    with torch.no_grad():
        assert (load_swinir(path)(golden["in.y0"]) - golden["swinir.out"]).abs().max() < 1e-5


@torch.no_grad()
def test_convert_makes_a_folder_that_loads_alike(difface, golden, tmp_path):
    file = tmp_path / "swinir_restoration512_L1.pth"
    torch.save(load_file(difface / "tiny_swinir.safetensors"), file)
    out = convert(file, tmp_path / "estimator")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["estimator", file.name]
    assert torch.equal(load_net(out)(golden["in.y0"]), load_swinir(file)(golden["in.y0"]))
    card = (out / "README.md").read_text()
    assert f"license_name: {find(file.name).licence}\n" in card
    with pytest.raises(WeightsError, match="estimator, which exists: name a new folder"):
        convert(file, out)


def test_convert_recognises_the_unet(difface, tmp_path):
    assert isinstance(load_net(convert(difface / "tiny_unet.safetensors", tmp_path / "unet")), UNet)


def test_convert_refuses_what_it_does_not_know(tmp_path):
    save_file({"model.1.ffc.weight": torch.zeros(1)}, tmp_path / "lama.safetensors")
    with pytest.raises(WeightsError, match=r"no kind that limner can convert.*first tensor is called model\.1\.ffc"):
        convert(tmp_path / "lama.safetensors", tmp_path / "out")
    assert not (tmp_path / "out").exists()
