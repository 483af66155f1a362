"""DifFace's SwinIR: golden outputs through it, and not one name or shape taken on trust."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from limner.errors import WeightsError
from limner.nets.swinir import SwinIR, relative_position_index
from limner.weights.formats import swinir
from limner.weights.formats.swinir import build_swinir

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


def test_swinir_of_the_published_size(manifest):
    entry = manifest["swinir_restoration512"]
    net = build_swinir(from_manifest(entry), FILE)
    assert sum(parameter.numel() for parameter in net.parameters()) == entry["params"] == 15_792_587
    with torch.device("meta"):
        defaults = SwinIR()
    settings = defaults.config.keys() - {"_use_default_values"}
    assert {key: net.config[key] for key in settings} == {key: defaults.config[key] for key in settings}


NAME = "layers.3.residual_group.blocks.1.attn.proj.weight"
MESSAGE = r"published.pth don't fit SwinIR: "


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda tensors: tensors.pop(NAME), rf"{NAME} is missing\."),
        (lambda tensors: tensors.update(more=torch.zeros(2)), r"more is not expected\."),
        (
            lambda tensors: tensors.update({NAME: torch.zeros(7, 5)}),
            rf"{NAME} \(7x5 instead of [0-9x]+\) is of another shape\.",
        ),
    ],
)
def test_a_fault_is_named(manifest, spoil, message):
    tensors = from_manifest(manifest["swinir_restoration512"])
    spoil(tensors)
    with pytest.raises(WeightsError, match=MESSAGE + message):
        build_swinir(tensors, FILE)


@pytest.mark.slow
def test_no_tensor_can_be_left_out(manifest):
    """Whatever is missing, the error is ours and says its name."""
    whole = from_manifest(manifest["swinir_restoration512"])
    for name in list(whole)[:: len(whole) // 8]:
        with pytest.raises(WeightsError, match=name.replace(".", r"\.")):
            build_swinir({other: tensor for other, tensor in whole.items() if other != name}, FILE)


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


def test_another_file_is_not_taken_for_it(difface):
    with pytest.raises(WeightsError, match=r"tiny_unet.*conv_first\.1\.weight is missing"):
        swinir.load(difface / "tiny_unet.safetensors")


@pytest.mark.parametrize("wrap", [lambda state: state, lambda state: {"state_dict": state}])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_checkpoints_as_they_are_published(difface, golden, tmp_path, wrap, prefix):
    tensors = load_file(difface / "tiny_swinir.safetensors")
    path = tmp_path / "published.pth"
    torch.save(wrap({prefix + name: tensor for name, tensor in tensors.items()}), path)
    with torch.no_grad():
        assert (swinir.load(path)(golden["in.y0"]) - golden["swinir.out"]).abs().max() < 1e-5
