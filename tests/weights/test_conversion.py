"""Published checkpoints into folders of ours."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from limner.errors import WeightsError
from limner.nets.identity import IdentityNet
from limner.nets.swinir import SwinIR
from limner.nets.unet import UNet
from limner.weights import convert, find, load_net
from limner.weights.formats import swinir


@pytest.fixture(scope="module")
def difface(shared: Path) -> Path:
    return shared / "golden/difface"


@torch.no_grad()
def test_convert_makes_a_folder_that_loads_alike(difface, tmp_path):
    file = tmp_path / "swinir_restoration512_L1.pth"
    torch.save(load_file(difface / "tiny_swinir.safetensors"), file)
    face = torch.rand(1, 3, 128, 128)
    out = convert(file, tmp_path / "estimator")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["estimator", file.name]
    assert torch.equal(load_net(out, SwinIR)(face), swinir.load(file)(face))
    card = (out / "README.md").read_text()
    assert f"license_name: {find(file.name).licence}\n" in card
    with pytest.raises(WeightsError, match="estimator, which exists: name a new folder"):
        convert(file, out)


def test_convert_recognises_the_unet(difface, tmp_path):
    assert isinstance(load_net(convert(difface / "tiny_unet.safetensors", tmp_path / "unet")), UNet)


def test_convert_leaves_a_folder_of_the_users_alone(tmp_path):
    net = IdentityNet(28, layers=(1, 1), widths=(8, 8), stem_width=8, embedding=16)
    save_file(net.state_dict(), tmp_path / "backbone.safetensors")
    (tmp_path / "model.part").mkdir()
    (tmp_path / "model.part/mine.txt").write_text("mine")
    convert(tmp_path / "backbone.safetensors", tmp_path / "model")
    assert (tmp_path / "model.part/mine.txt").read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {"model", "model.part", "backbone.safetensors"}


def test_convert_recognises_a_recogniser(tmp_path):
    net = IdentityNet(28, layers=(1, 1), widths=(8, 8), stem_width=8, embedding=16).eval()
    save_file(net.state_dict(), tmp_path / "backbone.safetensors")
    back = load_net(convert(tmp_path / "backbone.safetensors", tmp_path / "out"), IdentityNet)
    assert all(torch.equal(tensor, back.state_dict()[name]) for name, tensor in net.state_dict().items())


def test_convert_refuses_what_it_does_not_know(tmp_path):
    save_file({"model.1.ffc.weight": torch.zeros(1)}, tmp_path / "lama.safetensors")
    with pytest.raises(WeightsError, match=r"no kind that limner can convert.*first tensor is called model\.1\.ffc"):
        convert(tmp_path / "lama.safetensors", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command_line_names_what_was_passed_over(run, shared, tmp_path):
    tensors = load_file(shared / "golden/refldm/tiny_vqgan.safetensors") | {"lpips.a": torch.ones(1)}
    torch.save({"state_dict": tensors, "callbacks": {"score": np.float64(1)}}, tmp_path / "vqgan.ckpt")
    code, out, err = run("weights", "convert", tmp_path / "vqgan.ckpt", "-o", tmp_path / "vqgan")
    assert (code, out.strip()) == (0, str(tmp_path / "vqgan"))
    assert "which was passed over: callbacks, lpips.*." in " ".join(err.split())
    plain = shared / "golden/difface/tiny_unet.safetensors"
    assert "passed over" not in run("weights", "convert", plain, "-o", tmp_path / "unet")[2]
