"""DifFace's LaMa: golden outputs through it, and not one name or shape taken on trust."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from limner.errors import WeightsError
from limner.nets.lama import LaMa
from limner.weights import convert, load_net
from limner.weights.formats import lama
from limner.weights.formats.lama import build_lama

FILE = Path("published.pth")


@pytest.fixture(scope="module")
def difface(shared: Path) -> Path:
    return shared / "golden/difface"


@pytest.fixture(scope="module")
def golden(difface: Path) -> dict[str, Tensor]:
    return load_file(difface / "tiny_io_inpainting.safetensors")


@pytest.fixture(scope="module")
def published(difface: Path) -> dict[str, Tensor]:
    """The published file's tensors without their 200 MB: on the meta device."""
    keys = json.loads((difface / "manifest.json").read_text())["lama_inpainting256"]["keys"]
    return {name: torch.empty(fact["shape"], device="meta") for name, fact in keys.items()}


def test_lama_of_the_published_size(published):
    net = build_lama(published, FILE)
    assert len(published) == 989
    assert sum(parameter.numel() for parameter in net.parameters()) == 50_975_875
    with torch.device("meta"):
        defaults = LaMa()
    settings = defaults.config.keys() - {"_use_default_values"}
    assert {key: net.config[key] for key in settings} == {key: defaults.config[key] for key in settings}


NAME = "model.7.conv2.ffc.convg2g.fu.conv_layer.weight"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda tensors: tensors.pop(NAME), rf"{NAME} is missing\."),
        (lambda tensors: tensors.update(more=torch.zeros(2)), r"more is not expected\."),
        (
            lambda tensors: tensors.update({NAME: torch.zeros(7, 5)}),
            rf"{NAME} \(7x5 instead of [0-9x]+\) is of another",
        ),
        (
            lambda tensors: tensors.pop("model.7.bn_l.running_var", tensors.pop("model.7.conv1.bn_l.running_var")),
            "is missing",
        ),
    ],
)
def test_a_fault_is_named(published, spoil, message):
    tensors = dict(published)
    spoil(tensors)
    with pytest.raises(WeightsError, match="published.pth don't fit LaMa: .*" + message):
        build_lama(tensors, FILE)


@pytest.mark.slow
def test_no_tensor_can_be_left_out(published):
    """Whatever is missing, the error is ours and says its name."""
    for name in list(published)[:: len(published) // 8]:
        with pytest.raises(WeightsError, match=name.replace(".", r"\.")):
            build_lama({other: tensor for other, tensor in published.items() if other != name}, FILE)


def test_another_file_is_not_taken_for_it(difface):
    with pytest.raises(WeightsError, match=r"tiny_unet.*model\.1\.ffc\.convl2l\.weight is missing"):
        lama.load(difface / "tiny_unet.safetensors")


@pytest.mark.parametrize("wrap", [lambda state: state, lambda state: {"state_dict": state}])
@pytest.mark.parametrize("prefix", ["", "module."])
@torch.no_grad()
def test_checkpoints_as_they_are_published(difface, golden, tmp_path, wrap, prefix):
    tensors = load_file(difface / "tiny_lama.safetensors")
    path = tmp_path / "published.pth"
    torch.save(wrap({prefix + name: tensor for name, tensor in tensors.items()}), path)
    filled = lama.load(path)(golden["in.y0_masked"], golden["inpaint.mask"])
    assert (filled - golden["lama.out"]).abs().max() < 1e-5


@torch.no_grad()
def test_it_is_converted(difface, golden, tmp_path):
    net = load_net(convert(difface / "tiny_lama.safetensors", tmp_path / "estimator"), LaMa)
    filled = net(golden["in.y0_masked"], golden["inpaint.mask"])
    assert (filled - golden["lama.out"]).abs().max() < 1e-5
