"""ReF-LDM's published denoiser: the authors' outputs through it, in every form the file may have; and both files
through the catalogue."""

import json
from collections import defaultdict
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from limner.errors import WeightsError
from limner.methods.refldm import REFLDM
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN
from limner.weights import convert, find, load_net, load_parts
from limner.weights.checkpoint import Checkpoint, read_checkpoint
from limner.weights.formats import refldm
from limner.weights.formats import vqgan as vqgan_format
from limner.weights.formats.adm import adm_names
from limner.weights.formats.refldm import BUFFERS, dotted

FILE = Path("published.ckpt")
TOLERANCE = {"rtol": 1e-4, "atol": 1e-4}


def load_refldm(source, models=None):
    nets, info = REFLDM.other_source(str(source)) or load_parts("ReF-LDM", REFLDM.nets, source, models)
    nets = getattr(nets, "nets", nets)
    return nets["vqgan"], nets["unet"], info


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "golden/refldm"


@pytest.fixture(scope="module")
def golden(folder: Path) -> dict[str, Tensor]:
    return load_file(folder / "tiny_io.safetensors")


@pytest.fixture(scope="module")
def published(folder: Path) -> dict[str, Tensor]:
    """The tiny refldm.ckpt: weights and their running average differ."""
    return load_file(folder / "tiny_refldm.safetensors")


@pytest.fixture(scope="module")
def manifests(folder: Path) -> list[dict]:
    """Of refldm.ckpt and vqgan.ckpt."""
    return list(json.loads((folder / "manifest.json").read_text()).values())


@pytest.fixture(scope="module")
def vqgan(folder: Path) -> VQGAN:
    return vqgan_format.load(folder / "tiny_vqgan.safetensors", sample_size=64)


def tiny_unet(path: Path) -> UNet:
    return refldm.load(path, head_channels=16, sample_size=32)


def saved(tensors: dict, path: Path) -> Path:
    torch.save(tensors, path)
    return path


def raw_alone(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in tensors.items() if not name.startswith("model_ema.")}


@pytest.fixture(scope="module")
def unets(published, folder, tmp_path_factory) -> dict[str, UNet]:
    raw = saved(raw_alone(published), tmp_path_factory.mktemp("raw") / "refldm.ckpt")
    return {"unet": tiny_unet(raw), "unet_ema": tiny_unet(folder / "tiny_refldm.safetensors")}


def meta(manifest: dict) -> dict[str, Tensor]:
    """The file's tensors without their gigabyte."""
    return {name: torch.empty(fact["shape"], device="meta") for name, fact in manifest["keys"].items()}


def parameters(net: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


# --- the authors' outputs -----------------------------------------------------------------------------------


def latents(golden, count: int) -> Tensor:
    """What the authors' wide encoding made of the references."""
    return torch.stack(golden[f"vq.encode_ref_{count}_wide"].chunk(count, dim=3), dim=1)


@pytest.mark.parametrize("kind", ["unet", "unet_ema"])
@torch.no_grad()
def test_noise_with_and_without_references(golden, unets, kind):
    net = unets[kind]
    x, t = torch.cat([golden["in.x_t"], golden["vq.encode_lq_prequant"]], dim=1), golden["in.t"]
    found = {"noref": net(x, t)}
    for count in (2, 3):
        cache = net.read_references(latents(golden, count))
        found[f"ref{count}_save"] = found[f"ref{count}_use_t499"] = net(x, t, cache)
        found[f"ref{count}_use_t399"] = net(x, t - 100, cache)
    for name, out in found.items():
        torch.testing.assert_close(out, golden[f"{kind}.eps_{name}"], **TOLERANCE)


@torch.no_grad()
def test_keys_and_values_of_references(golden, unets):
    net = unets["unet"]
    cache = net.read_references(latents(golden, 2))
    order = ["input_blocks.1.1", "input_blocks.3.1", "middle_block.1", *(f"output_blocks.{n}.1" for n in range(4))]
    assert len(cache.layers) == len(order)
    checked = 0
    for block, (keys, values) in zip(order, cache.layers, strict=True):
        name = f"unet.cache.{block}.attention"
        if f"{name}.k0" in golden:
            torch.testing.assert_close(keys[0].chunk(2, dim=1)[0].mT, golden[f"{name}.k0"], **TOLERANCE)
            torch.testing.assert_close(values[0].chunk(2, dim=1)[1].mT, golden[f"{name}.v1"], **TOLERANCE)
            checked += 1
    assert checked == 2


@torch.no_grad()
def test_the_batch_of_guidance(golden, unets):
    net = unets["unet"]
    lq = golden["vq.encode_lq_prequant"].expand(2, -1, -1, -1)
    x, t = torch.cat([golden["in.x_t_b2"], lq], dim=1), golden["in.t"].expand(2)
    references = latents(golden, 2)
    exact = golden["unet.eps_b2_cfg_ref2_save"]
    cache = net.read_references(torch.cat([references * 0, references]))
    torch.testing.assert_close(net(x, t, cache), exact, **TOLERANCE)
    caches = [net.read_references(references[:, :1] * 0, stands_for=2), net.read_references(references)]
    short = torch.cat([net(x[row, None], t[row, None], caches)[row, None] for row in range(2)])
    torch.testing.assert_close(short, exact, **TOLERANCE)


# --- the published size -------------------------------------------------------------------------------------


def test_unet_of_the_published_size(manifests):
    net = refldm.load(Checkpoint(FILE, meta(manifests[0])))
    assert parameters(net) == 117_759_368
    expected = {
        "sample_size": 64,
        "in_channels": 16,
        "out_channels": 8,
        "width": 160,
        "multipliers": (1, 2, 2, 4),
        "depths": (2, 2, 2, 2),
        "attention_levels": (1, 2, 3),
        "head_channels": 32,
        "scale_shift": False,
        "attention_positions": False,
    }
    assert {key: net.config[key] for key in expected} == expected
    assert {f"diffusion_model.{name}" for name in adm_names(net)} == set(manifests[0]["unet_param_order"])


def test_names_of_the_average_get_their_dots_back(manifests):
    names = [name.removeprefix("diffusion_model.") for name in manifests[0]["unet_param_order"]]
    without = [name.replace(".", "") for name in names]
    assert len(set(without)) == len(names) == 366
    assert [dotted(name) for name in without] == names
    assert dotted("input_blocks101in_layers0weight") == "input_blocks.10.1.in_layers.0.weight"


def test_every_name_of_the_published_files_is_known(manifests):
    others = [name for name in manifests[0]["keys"] if "." not in name]
    assert len(others) == 12 and BUFFERS.issuperset([*others, *manifests[0]["non_persistent_buffers"]])


# --- forms of the files -------------------------------------------------------------------------------------


def test_the_average_is_preferred(published, folder):
    weight = tiny_unet(folder / "tiny_refldm.safetensors").stem.weight
    assert torch.equal(weight, published["model_ema.diffusion_modelinput_blocks00weight"].float())
    assert not torch.equal(weight, published["model.diffusion_model.input_blocks.0.0.weight"].float())


EXTRAS = {
    "nothing else": lambda tensors, vqgan: tensors,
    "all that training has": lambda tensors, vqgan: (
        tensors
        | {
            prefix + name: tensor
            for prefix in ("first_stage_model.", "cond_stage_model.lq_image.", "cond_stage_model.ref_image.")
            for name, tensor in vqgan.items()
        }
        | {
            "perceptual_loss.model.initializers.onnx_initializer_0": torch.zeros(3),
            "loss.discriminator.a": torch.ones(1),
        }
    ),
    "the average alone": lambda tensors, vqgan: {k: v for k, v in tensors.items() if not k.startswith("model.")},
    "no schedule": lambda tensors, vqgan: {k: v for k, v in tensors.items() if k.startswith("model")},
}


@pytest.mark.parametrize("extra", EXTRAS)
@pytest.mark.parametrize("nested", [False, True])
def test_flat_nested_and_with_parts_that_nobody_needs(folder, published, unets, tmp_path, extra, nested):
    tensors = EXTRAS[extra](published, load_file(folder / "tiny_vqgan.safetensors"))
    content = {"state_dict": tensors, "epoch": 3, "global_step": 1, "callbacks": {}} if nested else tensors
    net = tiny_unet(saved(content, tmp_path / "refldm.ckpt"))
    expected = unets["unet_ema"].state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in net.state_dict().items())


class ModelCheckpoint:
    """Stands for what a training framework names in its checkpoints."""


def test_a_checkpoint_as_a_trainer_leaves_it(published, unets, tmp_path):
    """Classes as keys and values, NumPy's numbers, nets of metrics: passed over, and named."""
    extra = {
        "lpips.lin0.weight": torch.ones(1, 3),
        "lpips.lin1.weight": torch.ones(1, 3),
        "loss.logvar": torch.ones(()),
    }
    content = {
        "state_dict": published | extra | {"style_model": torch.zeros(2), "best": np.float64(0.25)},
        "callbacks": {ModelCheckpoint: {"best": ModelCheckpoint(), "score": np.float32(0.5)}},
        "optimizer_states": [{"state": {0: {"exp_avg": torch.zeros(3)}}}],
        "hyper_parameters": defaultdict(list, {"lr": [np.float64(1e-4)], "at": Path("runs")}),
        "pytorch-lightning_version": "1.4.2",
    }
    checkpoint = read_checkpoint(saved(content, tmp_path / "refldm.ckpt"))
    net = refldm.load(checkpoint, head_channels=16, sample_size=32)
    expected = unets["unet_ema"].state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in net.state_dict().items())
    assert checkpoint.note().endswith(
        "refldm.ckpt also holds what the nets don't need, which was passed over: best, callbacks, hyper_parameters, "
        "loss.*, lpips.* (2 tensors), optimizer_states, pytorch-lightning_version, style_model."
    )


def test_nothing_to_note(folder):
    checkpoint = read_checkpoint(folder / "tiny_refldm.safetensors")
    refldm.load(checkpoint, head_channels=16)
    assert checkpoint.note() == ""


def test_a_scaled_latent_is_no_mere_extra(published):
    for scale, message in ((0.18215, "latents multiplied by their scale_factor"), (1.0, None)):
        checkpoint = Checkpoint(FILE, published | {"scale_factor": torch.tensor(scale)})
        with pytest.raises(WeightsError, match=message) if message else nullcontext():
            refldm.load(checkpoint, head_channels=16)


# --- faults -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda tensors, name: tensors.pop(name), r"don't fit UNet: input_blocks\.3\.1\.qkv\.weight is missing"),
        (
            lambda tensors, name: tensors.update({name: torch.zeros(7, 5)}),
            r"don't fit UNet: input_blocks\.3\.1\.qkv\.weight \(7x5 instead of 192x64x1x1\) is of another shape",
        ),
        (
            lambda tensors, name: tensors.update({name + "s": torch.zeros(2)}),
            r"don't fit UNet: input_blocks\.3\.1\.qkv\.weights is not expected",
        ),
    ],
)
def test_a_fault_of_the_unet_is_named(published, average, spoil, message):
    tensors = dict(published) if average else raw_alone(published)
    name = "diffusion_model.input_blocks.3.1.qkv.weight"
    spoil(tensors, "model_ema." + name.replace(".", "") if average else f"model.{name}")
    with pytest.raises(WeightsError, match=message):
        refldm.load(Checkpoint(FILE, tensors), head_channels=16)


def test_files_are_not_taken_for_each_other(folder):
    with pytest.raises(WeightsError, match=r"tiny_vqgan.*hold no U-Net of ReF-LDM"):
        refldm.load(folder / "tiny_vqgan.safetensors")
    with pytest.raises(WeightsError, match=r"tiny_refldm.*encoder\.conv_in\.weight is missing"):
        vqgan_format.load(folder / "tiny_refldm.safetensors")


def test_a_file_without_a_unet():
    with pytest.raises(WeightsError, match=r"published\.ckpt hold no U-Net of ReF-LDM"):
        refldm.load(Checkpoint(FILE, {"first_stage_model.encoder.conv_in.weight": torch.zeros(1)}))


# --- through the catalogue ----------------------------------------------------------------------------------


@pytest.fixture
def models(folder, tmp_path) -> Path:
    """The tiny files under the published names; their nets get the published heads, which no shape contradicts."""
    for name in ("refldm", "vqgan"):
        find(f"official/{name}").path(tmp_path).write_bytes((folder / f"tiny_{name}.safetensors").read_bytes())
    return tmp_path


def test_official_files_put_there_by_hand_are_found(models, vqgan):
    first_stage, unet, info = load_refldm("official", models)
    assert isinstance(unet, UNet) and not unet.training and not first_stage.training
    assert torch.equal(first_stage.codebook.weight, vqgan.codebook.weight)
    assert info.name == "official" and "non-commercial" in info.licence and info.origin.endswith("authors of ReF-LDM")


def test_a_folder_with_the_authors_files(models):
    _, unet, info = load_refldm(str(models))
    assert isinstance(unet, UNet)
    assert (info.name, info.licence) == (str(models), find("official/refldm").licence)
    find("official/vqgan").path(models).unlink()
    with pytest.raises(WeightsError, match=r"run `limner weights fetch official/vqgan`, or put vqgan\.ckpt at "):
        load_refldm(models)


def test_a_folder_of_the_users(folder, vqgan, unets, tmp_path):
    vqgan.save_pretrained(tmp_path / "vqgan")
    unets["unet"].save_pretrained(tmp_path / "unet")
    first_stage, unet, info = load_refldm(tmp_path)
    assert torch.equal(first_stage.codebook.weight, vqgan.codebook.weight)
    assert torch.equal(unet.stem.weight, unets["unet"].stem.weight)
    assert (info.licence, info.size) == ("not stated", 32)


def test_no_such_source(tmp_path):
    with pytest.raises(WeightsError, match=r"no ReF-LDM weights '.*': give mini, official, or a folder"):
        load_refldm(tmp_path)


@pytest.mark.parametrize(("name", "kind"), [("refldm", UNet), ("vqgan", VQGAN)])
def test_convert_recognises_them(models, name, kind):
    net = load_net(convert(models / f"{name}.ckpt", models / "out"))
    assert isinstance(net, kind)
    assert "non-commercial" in (models / "out/README.md").read_text()
