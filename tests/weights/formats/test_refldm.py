"""ReF-LDM's published checkpoints: the authors' outputs through them, in every form the files may have."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from limner.errors import WeightsError
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN
from limner.weights import find, load_net, load_refldm
from limner.weights.formats.adm import adm_names, build_adm_unet
from limner.weights.formats.refldm import (
    BUFFERS,
    build_vqgan,
    dotted,
    load_refldm_unet,
    load_refldm_vqgan,
    unet_tensors,
    vqgan_names,
)
from limner.weights.official import convert

FILE = Path("published.ckpt")
TOLERANCE = {"rtol": 1e-4, "atol": 1e-4}


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
    return load_refldm_vqgan(folder / "tiny_vqgan.safetensors", sample_size=64)


def tiny_unet(path: Path) -> UNet:
    return load_refldm_unet(path, head_channels=16, sample_size=32)


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


@torch.no_grad()
def test_encoding(golden, vqgan):
    for picture, latent in (
        ("in.lq_image", "encode_lq_prequant"),
        ("in.ref_image_2", "encode_ref_2_wide"),
        ("in.ref_image_3", "encode_ref_3_wide"),
    ):
        torch.testing.assert_close(vqgan.encode(golden[picture]), golden[f"vq.{latent}"], **TOLERANCE)
    each = vqgan.encode(torch.cat(golden["in.ref_image_3"].chunk(3, dim=3)))
    torch.testing.assert_close(each, golden["vq.encode_ref_each"], **TOLERANCE)


@torch.no_grad()
def test_quantising_and_decoding(golden, vqgan):
    latent = vqgan.encode(golden["in.lq_image"])
    codes, indices = vqgan.quantise(latent)
    assert torch.equal(indices.flatten(), golden["vq.indices_lq"])
    torch.testing.assert_close(codes, golden["vq.quantized_lq"], **TOLERANCE)
    torch.testing.assert_close(vqgan.decode(latent), golden["vq.decode_quantized_lq"], **TOLERANCE)
    plain = vqgan.decode(latent, quantise=False)
    torch.testing.assert_close(plain, golden["vq.decode_noquant_lq"], **TOLERANCE)


# --- the published size -------------------------------------------------------------------------------------


def test_unet_of_the_published_size(manifests):
    net = build_adm_unet(unet_tensors(meta(manifests[0]), FILE), FILE, head_channels=32, sample_size=64)
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


def test_vqgan_of_the_published_size(manifests):
    needed = {name: tensor for name, tensor in meta(manifests[1]).items() if not name.startswith("loss.")}
    assert needed.keys() == set(manifests[1]["inference_needs"])
    net = build_vqgan(needed, FILE)
    assert parameters(net) == 57_183_515
    assert vqgan_names(net).keys() == needed.keys()
    with torch.device("meta"):
        defaults = VQGAN()
    settings = defaults.config.keys() - {"_use_default_values"}
    assert {key: net.config[key] for key in settings} == {key: defaults.config[key] for key in settings}


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


def test_vqgan_with_its_losses(folder, vqgan, tmp_path):
    tensors = load_file(folder / "tiny_vqgan.safetensors")
    tensors |= {
        "loss.discriminator.main.0.weight": torch.zeros(4),
        "loss.perceptual_loss.lin0.model.1.weight": torch.ones(2),
    }
    net = load_refldm_vqgan(saved({"state_dict": tensors}, tmp_path / "vqgan.ckpt"), sample_size=64)
    expected = vqgan.state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in net.state_dict().items())


class Callback:
    """Stands for what a training framework leaves in its checkpoints."""


def test_a_checkpoint_that_would_run_code(published, tmp_path):
    path = saved({"state_dict": published, "callbacks": {"best": Callback()}}, tmp_path / "refldm.ckpt")
    with pytest.raises(WeightsError, match=r"refldm\.ckpt ask to run code.*Callback.*save the tensors alone"):
        load_refldm_unet(path)


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
        (
            lambda tensors, name: tensors.update(style_model=torch.zeros(2)),
            r"published\.ckpt don't fit ReF-LDM: style_model is not expected",
        ),
    ],
)
def test_a_fault_of_the_unet_is_named(published, average, spoil, message):
    tensors = dict(published) if average else raw_alone(published)
    name = "diffusion_model.input_blocks.3.1.qkv.weight"
    spoil(tensors, "model_ema." + name.replace(".", "") if average else f"model.{name}")
    with pytest.raises(WeightsError, match=message):
        build_adm_unet(unet_tensors(tensors, FILE), FILE, head_channels=16)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda tensors: tensors.pop("decoder.up.1.upsample.conv.weight"),
            r"published\.ckpt don't fit VQGAN: decoder\.up\.1\.upsample\.conv\.weight is missing\.",
        ),
        (
            lambda tensors: tensors.update(more=torch.zeros(2)),
            r"published\.ckpt don't fit VQGAN: more is not expected\.",
        ),
        (lambda tensors: tensors.pop("encoder.conv_in.weight"), r"encoder\.conv_in\.weight is missing"),
        (lambda tensors: tensors.pop("quantize.embedding.weight"), r"quantize\.embedding\.weight is missing"),
        (
            lambda tensors: tensors.update({"encoder.down.1.block.0.conv2.weight": torch.zeros(40, 40, 3, 3)}),
            r"its levels have \[32, 40\] channels of 32",
        ),
    ],
)
def test_a_fault_of_the_vqgan_is_named(folder, spoil, message):
    tensors = load_file(folder / "tiny_vqgan.safetensors")
    spoil(tensors)
    with pytest.raises(WeightsError, match=message):
        build_vqgan(tensors, FILE)


def test_files_are_not_taken_for_each_other(folder):
    with pytest.raises(WeightsError, match=r"tiny_vqgan.*don't fit ReF-LDM: decoder.* and \d+ more are not expected"):
        load_refldm_unet(folder / "tiny_vqgan.safetensors")
    with pytest.raises(WeightsError, match=r"tiny_refldm.*encoder\.conv_in\.weight is missing"):
        load_refldm_vqgan(folder / "tiny_refldm.safetensors")


def test_a_file_without_a_unet():
    with pytest.raises(WeightsError, match=r"published\.ckpt hold no U-Net of ReF-LDM"):
        unet_tensors({"first_stage_model.encoder.conv_in.weight": torch.zeros(1)}, FILE)


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
    assert (info.licence, info.size) == ("not stated", 64)


def test_no_such_source(tmp_path):
    with pytest.raises(WeightsError, match=r"no ReF-LDM weights '.*': give mini, official, or a folder"):
        load_refldm(tmp_path)


@pytest.mark.parametrize(("name", "kind"), [("refldm", UNet), ("vqgan", VQGAN)])
def test_convert_recognises_them(models, name, kind):
    net = load_net(convert(models / f"{name}.ckpt", models / "out"))
    assert isinstance(net, kind)
    assert "non-commercial" in (models / "out/README.md").read_text()
