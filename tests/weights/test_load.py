"""The three sources of weights behind one call, and what is said when one is not there."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from diffusers.models.modeling_utils import ModelMixin
from safetensors.torch import load_file

from limner.errors import WeightsError
from limner.methods.difface import DIFFACE
from limner.methods.refldm import REFLDM
from limner.nets.estimator import Estimator
from limner.nets.swinir import SwinIR
from limner.nets.unet import UNet
from limner.weights import find
from limner.weights.load import Part, licence_of, load_net, load_parts


def load_difface(source, models=None):
    nets, info = load_parts("DifFace", DIFFACE.nets, source, models)
    return nets.nets["estimator"], nets.nets["unet"], info


@pytest.fixture
def folder(tmp_path):
    """A user's own folder, as a pipeline saves it."""
    torch.manual_seed(0)
    Estimator(sample_size=32, widths=(32, 32), depths=(1, 1)).save_pretrained(tmp_path / "own/estimator")
    UNet(sample_size=32, multipliers=(1, 1), depths=(1, 1), attention_levels=()).save_pretrained(tmp_path / "own/unet")
    return tmp_path / "own"


def test_a_folder_of_the_users(folder):
    estimator, unet, info = load_difface(folder)
    assert isinstance(estimator, Estimator) and isinstance(unet, UNet)
    assert not estimator.training and not unet.training
    saved = UNet.from_pretrained(folder / "unet").state_dict()
    assert all(torch.equal(tensor, saved[name]) for name, tensor in unet.state_dict().items())
    assert (info.name, info.licence, info.size) == (str(folder), "not stated", 32)


def test_licences_of_both_nets_are_told(folder):
    (folder / "unet/README.md").write_text("---\nlicense: other\nlicense_name: Mine 1.0\n---\n# A net\n")
    (folder / "estimator/README.md").write_text("---\nlicense: mit\n---\n")
    assert load_difface(str(folder))[2].licence == "mit; Mine 1.0"
    (folder / "unet/README.md").write_text("license: in the text only\n")
    assert licence_of(folder / "unet") == "not stated"


def test_mini_works_at_once():
    estimator, unet, info = load_difface("mini")
    assert (info.name, info.licence, info.size) == ("mini", "Apache-2.0", 256)
    with torch.no_grad():
        crop = torch.rand(1, 3, 256, 256)
        assert estimator(crop).shape == crop.shape
    assert isinstance(unet, UNet)


def test_alignnet_is_loaded_by_name():
    net = load_net("mini/alignnet")
    assert isinstance(net, ModelMixin) and not net.training
    assert not any(tensor.is_meta for tensor in [*net.parameters(), *net.buffers()])


def test_official_files_put_there_by_hand_are_found(shared, tmp_path):
    for name, tiny in (
        ("official/difface-estimator", "tiny_swinir"),
        ("official/difface-prior", "tiny_unet"),
    ):
        path = find(name).path(tmp_path)
        path.write_bytes((shared / f"golden/difface/{tiny}.safetensors").read_bytes())
    estimator, unet, info = load_difface("official", tmp_path)
    assert isinstance(estimator, SwinIR) and isinstance(unet, UNet)
    assert (info.name, info.licence) == ("official", "NTU S-Lab License 1.0, non-commercial")


def test_official_files_that_are_not_there(tmp_path):
    with pytest.raises(
        WeightsError,
        match=r"run `limner weights fetch official/difface-estimator`, or put swinir_restoration512_L1",
    ):
        load_difface("official", tmp_path)


def test_no_such_source():
    with pytest.raises(WeightsError, match=r"no DifFace weights 'minni': give mini, official, or a folder"):
        load_difface("minni")


def test_yunet_is_no_net_of_ours(tmp_path):
    with pytest.raises(WeightsError, match=r"official/yunet is no net of limner's own"):
        load_net("official/yunet", tmp_path)


def test_nets_in_the_wrong_place(folder):
    (folder / "unet").rename(folder / "was")
    (folder / "estimator").rename(folder / "unet")
    (folder / "was").rename(folder / "estimator")
    with pytest.raises(WeightsError, match="holds another net than a UNet"):
        load_difface(folder)


PARTS = {"estimator": Part("difface-estimator", (Estimator, SwinIR)), "unet": Part("difface-prior", (UNet,))}


def test_parts_of_any_method(folder):
    nets, info = load_parts("Toy", PARTS, folder)
    assert nets.get("unet", UNet).config["width"] == 32
    assert isinstance(nets.get("estimator", (Estimator, SwinIR)), Estimator)
    assert (info.name, info.origin, info.size, info.note) == (str(folder), "a folder of the user's", 32, "")
    with pytest.raises(WeightsError, match=r"folder unet of the Toy weights '.*own' holds another net than a SwinIR\."):
        nets.get("unet", SwinIR)
    with pytest.raises(WeightsError, match=r"The folder unet of the Toy weights .* another net than a Estimator or"):
        load_parts("Toy", PARTS | {"unet": Part("difface-prior", (Estimator, SwinIR))}, folder)


def test_parts_that_nobody_published():
    with pytest.raises(WeightsError, match=r"The authors of Toy published no weights: give mini or a folder\."):
        load_parts("Toy", {"net": Part("alignnet", (ModelMixin,))}, "official")


def test_a_note_on_official_files(shared, tmp_path):
    for name in ("refldm", "vqgan"):
        tensors = load_file(shared / f"golden/refldm/tiny_{name}.safetensors")
        content = {"state_dict": tensors | {"lpips.a": torch.ones(1)}, "callbacks": {"score": np.float64(1)}}
        torch.save(content, find(f"official/{name}").path(tmp_path))
    note = load_parts("ReF-LDM", REFLDM.nets, "official", tmp_path)[1].note
    assert [f"{name}.ckpt also holds" in note for name in ("vqgan", "refldm")] == [True, True]
    assert note.count("callbacks, lpips.*.") == 2


def test_bad_folders(folder):
    unet = folder / "unet"
    (unet / "more.safetensors").write_bytes(b"")
    with pytest.raises(WeightsError, match=r"unet should hold one safetensors file, not 2"):
        load_net(unet)
    (unet / "config.json").write_text('{"_class_name": "Transformer"}')
    with pytest.raises(WeightsError, match=r"unet holds no net that limner knows \(AlignNet, .*UNet.*\)"):
        load_net(unet)
    (unet / "config.json").write_text("{")
    with pytest.raises(WeightsError, match=r"unet/config\.json can't be read as JSON"):
        load_net(unet)
    with pytest.raises(WeightsError, match=r"unet2 has no readable config\.json"):
        load_net(folder / "unet2")


def test_weights_that_do_not_fit_the_config(folder):
    config = folder / "unet/config.json"
    config.write_text(config.read_text().replace('"width": 32', '"width": 64'))
    with pytest.raises(
        WeightsError, match=r"safetensors don't fit UNet: time\.linear1\.weight \(128x32 instead of 256x64\)"
    ):
        load_net(folder / "unet")


def test_the_package_stays_light():
    code = "import sys, limner.weights; assert not {'torch', 'diffusers', 'cv2', 'numpy'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
