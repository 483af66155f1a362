"""LD-BFR's checkpoints under its authors' names: every name accounted for, in every form the file may have.

The authors' outputs through the nets are compared in `tests/nets` and `tests/methods/test_ldbfr.py`.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers.configuration_utils import ConfigMixin
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from limner.errors import WeightsError
from limner.methods import load
from limner.methods.ldbfr import LDBFR
from limner.methods.schedules import ldbfr_schedule
from limner.nets.injection import Injection
from limner.nets.stage_a import StageA
from limner.nets.vqgan import VQGAN
from limner.weights import convert, load_parts
from limner.weights.checkpoint import Checkpoint, read_checkpoint
from limner.weights.formats import ldbfr
from limner.weights.formats.adm import adm_names
from limner.weights.formats.ldbfr import (
    NEVER_CALLED,
    LDBFRNets,
    build_injected_unet,
    build_stage_a,
    build_target,
    dotted_ldbfr,
    injection_names,
    split_checkpoint,
    stage_a_names,
)
from limner.weights.formats.refldm import BUFFERS
from limner.weights.formats.registry import format_of
from limner.weights.formats.vqgan import vqgan_names

FILE = Path("last.ckpt")
State = dict[str, Tensor]

load_tiny = partial(ldbfr.load, head_channels=16, stage_a_size=64, latent_size=32, vqgan_size=128)


def load_ldbfr(source):
    nets, info = LDBFR.other_source(str(source)) or load_parts("LD-BFR", LDBFR.nets, source)
    return LDBFRNets(**getattr(nets, "nets", nets)), info


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "golden/ldbfr"


@pytest.fixture(scope="module")
def manifest(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_text())


@pytest.fixture(scope="module")
def bare(folder: Path) -> dict[str, State]:
    """The tiny tensors of stage A, U-Net and target, without prefixes."""
    files = {
        "stage_a": ["stage_a"],
        "unet": ["unet_base_1", "unet_base_2", "unet_cross"],
        "target": ["target_first_stage"],
    }
    loaded = {part: [load_file(folder / f"tiny_{name}.safetensors") for name in names] for part, names in files.items()}
    return {part: {k: v for tensors in each for k, v in tensors.items()} for part, each in loaded.items()}


def averaged(unet: State) -> State:
    """As the trainer saves its running average: no dots in a name."""
    return {"model_ema." + f"diffusion_model.{name}".replace(".", ""): tensor for name, tensor in unet.items()}


@pytest.fixture(scope="module")
def whole(bare) -> State:
    """What the trainer would save: the weights differ from their average, and much is there that nobody needs."""
    return {
        **{name: torch.zeros(1000) for name in BUFFERS - {"lvlb_weights", "model_ema.decay", "model_ema.num_updates"}},
        **{f"model.diffusion_model.{name}": 2 * tensor for name, tensor in bare["unet"].items()},
        **averaged(bare["unet"]),
        "model_ema.decay": torch.tensor(0.9999),
        "model_ema.num_updates": torch.tensor(5),
        **{f"first_stage_model.{name}": tensor for name, tensor in bare["stage_a"].items()},
        "first_stage_model.loss.discriminator.main.0.weight": torch.zeros(4),
        **{f"first_stage_model_gt.{name}": tensor for name, tensor in bare["target"].items()},
        "first_stage_model_gt.loss.perceptual_loss.lin0.model.1.weight": torch.ones(2),
    }


def saved(tensors: dict, path: Path) -> Path:
    torch.save(tensors, path)
    return path


def assert_equal(nets: LDBFRNets, expected: LDBFRNets, factor: float = 1) -> None:
    """Equal tensors, and those of U-Net and injection larger by a factor."""
    for name, net, other in zip(nets._fields, nets, expected, strict=True):
        assert type(net) is type(other) and not net.training
        times, own, theirs = factor if name in ("unet", "injection") else 1, net.state_dict(), other.state_dict()
        assert own.keys() == theirs.keys()
        assert all(torch.equal(tensor, times * theirs[key]) for key, tensor in own.items()), name
        assert settings(net) == settings(other)


def settings(net: ConfigMixin) -> dict:
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in net.config.items()
        if not key.startswith("_")
    }


# --- forms of the file --------------------------------------------------------------------------------------

FORMS: dict[str, tuple[Callable[[str], bool], float]] = {
    "as it is saved": (lambda name: True, 1),
    "the average alone": (lambda name: not name.startswith("model."), 1),
    "no average": (lambda name: not name.startswith("model_ema."), 2),
    "no schedule": (lambda name: name not in BUFFERS, 1),
    "no losses": (lambda name: ".loss." not in name, 1),
}
"""Which names are there, and what to multiply the average by."""


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_the_file(whole, tiny_ldbfr, tmp_path, form):
    keeps, factor = FORMS[form]
    tensors = {name: tensor for name, tensor in whole.items() if keeps(name)}
    content = {"state_dict": tensors, "epoch": 3, "global_step": 1, "callbacks": {}}
    assert_equal(load_tiny(saved(content, tmp_path / "last.ckpt")), tiny_ldbfr, factor)


class Callback:
    """Stands for what a training framework names in its checkpoints."""


def test_what_training_leaves_is_passed_over_and_named(whole, tiny_ldbfr, tmp_path):
    extra = {"cond_stage_model.a": torch.ones(1), "first_stage_model.lpips.a": torch.ones(1), "scale": np.float64(1)}
    content = {"state_dict": whole | extra, "callbacks": {Callback: {"best": Callback()}}}
    checkpoint = read_checkpoint(saved(content, tmp_path / "last.ckpt"))
    nets = ldbfr.load(checkpoint, head_channels=16, stage_a_size=64, latent_size=32, vqgan_size=128)
    assert_equal(nets, tiny_ldbfr)
    assert checkpoint.note().endswith(
        "passed over: callbacks, cond_stage_model.*, first_stage_model.loss.*, first_stage_model.lpips.*, "
        "first_stage_model_gt.loss.*, scale."
    )


def test_layers_that_are_never_called_may_be_missing(bare, tiny_ldbfr):
    never = {part: [name for name in tensors if NEVER_CALLED.fullmatch(name)] for part, tensors in bare.items()}
    assert {part: len(names) for part, names in never.items()} == {"stage_a": 0, "unet": 41, "target": 10}
    less = {part: {n: t for n, t in tensors.items() if n not in never[part]} for part, tensors in bare.items()}
    unet, injection = build_injected_unet(less["unet"], FILE, 64, 16, 32)
    stage_a, target = build_stage_a(less["stage_a"], FILE, 8, 64), build_target(less["target"], FILE, 128)
    assert_equal(LDBFRNets(stage_a, unet, injection, target), tiny_ldbfr)


# --- the published size -------------------------------------------------------------------------------------


def meta(manifest: dict, part: str) -> State:
    """The tensors of the published size without their gigabytes."""
    return {name: torch.empty(fact["shape"], device="meta") for name, fact in manifest[part]["keys"].items()}


def account_for(part: dict, *pairs: tuple[nn.Module, dict[str, str]]) -> int:
    """Checks that every parameter of the nets has exactly one name of the manifest with the same shape, and that the
    names without a parameter are the unused ones; returns the number of parameters."""
    seen: set[str] = set()
    for net, names in pairs:
        own = net.state_dict()
        assert sorted(names.values()) == sorted(own)
        for theirs, ours in names.items():
            shape, expected = part["keys"][theirs]["shape"], list(own[ours].shape)
            assert shape + [1] * (len(expected) - len(shape)) == expected, theirs
        assert not seen & names.keys()
        seen |= names.keys()
    assert part["keys"].keys() - seen == {name for name, fact in part["keys"].items() if fact["unused"]}
    return sum(parameter.numel() for net, _ in pairs for parameter in net.parameters())


def defaults(kind: Callable[[], ConfigMixin]) -> dict:
    with torch.device("meta"):
        return settings(kind())


def test_stage_a_of_the_published_size(manifest):
    net = build_stage_a(meta(manifest, "a_stage_a_vq"), FILE)
    assert account_for(manifest["a_stage_a_vq"], (net, stage_a_names(net))) == manifest["summary"]["a"]["total"]
    assert settings(net) == defaults(StageA)
    moved = {name: fact["stage_a_lr_factor"] for name, fact in manifest["a_stage_a_vq"]["keys"].items()}
    trained = {name.split(".")[0] for name, factor in moved.items() if factor}
    assert trained == {"mid_Cross", "encoder"}  # StageA.trained_parts


def test_unet_and_injection_of_the_published_size(manifest):
    part, summary = manifest["b_unet"], manifest["summary"]["b"]
    unet, injection = build_injected_unet(meta(manifest, "b_unet"), FILE)
    names = {unet: adm_names(unet), injection: injection_names(injection, unet)}
    assert account_for(part, *names.items()) == summary["frozen_base_ldm"] + summary["trainable_used"]
    assert all(part["keys"][name]["trainable"] for name in names[injection])
    assert not any(part["keys"][name]["trainable"] for name in names[unet])
    assert settings(injection) == defaults(Injection)
    expected = {
        "sample_size": 64,
        "in_channels": 3,
        "out_channels": 3,
        "width": 224,
        "multipliers": [1, 2, 3, 4],
        "depths": [2, 2, 2, 2],
        "attention_levels": [1, 2, 3],
        "head_channels": 32,
        "scale_shift": False,
        "groups": 32,
    }
    assert {key: settings(unet)[key] for key in expected} == expected


def test_target_of_the_published_size(manifest):
    part, summary = manifest["c_target_first_stage"], manifest["summary"]["c"]
    net = build_target(meta(manifest, "c_target_first_stage"), FILE)
    parameters = summary["total"] - summary["decoder_extra_unused_more_attn"]
    assert account_for(part, (net, vqgan_names(net))) == parameters
    expected = partial(VQGAN, 256, latent_channels=3, multipliers=(1, 2, 4), asymmetric=True)
    assert settings(net) == defaults(expected)


def test_layers_known_as_never_called_are_those_of_the_manifest(manifest):
    for part in ("a_stage_a_vq", "b_unet", "c_target_first_stage"):
        keys = manifest[part]["keys"]
        assert {n for n in keys if NEVER_CALLED.fullmatch(n)} == {n for n, fact in keys.items() if fact["unused"]}
    assert not NEVER_CALLED.fullmatch("output_blocks.3.1.cross_norm2.weight")


def test_names_of_the_average_get_their_dots_back(manifest):
    names = list(manifest["b_unet"]["keys"])
    without = [name.replace(".", "") for name in names]
    assert len(set(without)) == len(names) == manifest["summary"]["ema"]["entries"] == 535
    assert [dotted_ldbfr(name) for name in without] == names


def test_every_buffer_is_known(manifest):
    assert BUFFERS.issuperset(manifest["summary"]["schedule_buffers"]["keys"])


def test_a_whole_file_of_the_published_size(manifest):
    parts = ("a_stage_a_vq", "b_unet", "c_target_first_stage")
    prefixes = {part: manifest[part]["ckpt_prefix_in_ldm"] for part in parts}
    raw = {prefix + name: t for part, prefix in prefixes.items() for name, t in meta(manifest, part).items()}
    for tensors in (raw, raw | averaged(meta(manifest, "b_unet"))):
        found = split_checkpoint(Checkpoint(FILE, tensors))
        assert [part.keys() for part in found] == [manifest[part]["keys"].keys() for part in parts]


# --- the condition ------------------------------------------------------------------------------------------


def test_how_the_feature_reaches_a_level_is_read_off_the_shapes(bare, tiny_ldbfr):
    assert tiny_ldbfr.injection.config["condition_scale"] == 4
    # no shape of the U-Net's tells F of 64 channels at a quarter of its side from 256 channels at an eighth
    _, injection = build_injected_unet(bare["unet"], FILE, condition_channels=256, head_channels=16, sample_size=32)
    assert injection.config["condition_scale"] == 8
    with pytest.raises(WeightsError, match=r"don't fit Injection: .*cross_conv_1.* of another shape"):
        build_injected_unet(bare["unet"], FILE, condition_channels=128, head_channels=16, sample_size=32)


# --- faults -------------------------------------------------------------------------------------------------

PLACES = {
    "StageA": ("first_stage_model.", "mid_Cross.k.weight"),
    "UNet": ("model.diffusion_model.", "input_blocks.4.1.qkv.weight"),
    "Injection": ("model.diffusion_model.", "output_blocks.6.1.cross_norm2.weight"),
    "VQGAN": ("first_stage_model_gt.", "decoder.more_up.conv.weight"),
}


@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize("net", PLACES)
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda tensors, name: tensors.pop(name), r"{name} is missing\."),
        (lambda tensors, name: tensors.update({name: torch.zeros(7, 5)}), r"{name} \(7x5 instead of .*another shape\."),
        (lambda tensors, name: tensors.update({name + "s": torch.zeros(2)}), r"{name}s is not expected\."),
    ],
)
def test_a_fault_is_named(whole, tmp_path, average, net, spoil, message):
    tensors = {name: t for name, t in whole.items() if average or not name.startswith("model_ema.")}
    prefix, name = PLACES[net]
    if average and prefix.startswith("model."):
        spoil(tensors, "model_ema." + f"diffusion_model.{name}".replace(".", ""))
    else:
        spoil(tensors, prefix + name)
    with pytest.raises(WeightsError, match=rf"last\.ckpt don't fit {net}: " + message.format(name=name)):
        load_tiny(saved(tensors, tmp_path / "last.ckpt"))


def without(*prefixes: str) -> Callable[[State], State]:
    return lambda tensors: {name: tensor for name, tensor in tensors.items() if not name.startswith(prefixes)}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (without("first_stage_model."), r"no name begins with first_stage_model\.\.\."),
        (without("first_stage_model_gt."), r"no name begins with first_stage_model_gt\.\.\."),
        (without("model"), r"no name begins with model_ema\.diffusion_model\.\.\. or model\.diffusion_model\.\.\."),
        (lambda tensors: {n: t for n, t in tensors.items() if "cross_" not in n}, r"their U-Net has no injection"),
    ],
)
def test_a_file_with_other_parts(whole, tmp_path, spoil, message):
    with pytest.raises(WeightsError, match=r"last\.ckpt don't fit LD-BFR: " + message):
        load_tiny(saved(spoil(whole), tmp_path / "last.ckpt"))


@pytest.mark.parametrize(
    ("part", "name", "message"),
    [
        ("unet", "output_blocks.8.1.cross_attn.to_k.weight", "not what they should be"),
        ("unet", "input_blocks.4.1.cross_conv_1.weight", "Injection"),
        ("target", "decoder.more_res.conv1.bias", "VQGAN"),
        ("stage_a", "quantize.embedding.weight", "not what they should be"),
    ],
)
def test_where_sizes_are_read(bare, part, name, message):
    build = {"unet": build_injected_unet, "target": build_target, "stage_a": build_stage_a}[part]
    with pytest.raises(WeightsError, match=rf"({message}): {name} is missing"):
        build({other: tensor for other, tensor in bare[part].items() if other != name}, FILE)


@pytest.mark.parametrize(
    "name",
    [
        "middle_block.1.cross_qkv.weight",
        "input_blocks.4.1.cross_norm2.weight",
        "output_blocks.3.1.cross_norm_2.weight",
        "output_blocks.3.1.cross_resize.weight",
    ],
)
def test_layers_of_the_other_half_are_not_expected(bare, name):
    with pytest.raises(WeightsError, match=rf"don't fit Injection: {name} is not expected"):
        build_injected_unet(bare["unet"] | {name: torch.zeros(3)}, FILE, 64, 16)


# --- kinds, and folders of ours -----------------------------------------------------------------------------


def kind_of(tensors: State) -> str:
    return format_of(Checkpoint(FILE, tensors)).name


def test_files_of_refldm_are_told_apart(whole, shared):
    refldm = load_file(shared / "golden/refldm/tiny_refldm.safetensors")
    vqgan = load_file(shared / "golden/refldm/tiny_vqgan.safetensors")
    both = refldm | {f"first_stage_model.{name}": tensor for name, tensor in vqgan.items()}
    assert kind_of(refldm) == kind_of(both) == "refldm"
    assert kind_of(vqgan) == "vqgan"
    for missing in ("nothing", "first_stage_model_gt.", "model.", "model_ema.", "first_stage_model."):
        assert kind_of(without(missing)(whole)) == "ldbfr"


@pytest.fixture(scope="module")
def published(whole, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("published") / "last.safetensors"
    save_file(whole, path)
    return path


def test_convert_makes_a_folder_that_loads_alike(published, tmp_path):
    notes: list[str] = []
    out = convert(published, tmp_path / "ldbfr", notes.append)
    assert ["first_stage_model.loss.*, first_stage_model_gt.loss.*" in note for note in notes] == [True]
    assert [path.name for path in tmp_path.iterdir()] == ["ldbfr"]
    assert {path.name for path in out.iterdir()} == {"stage_a", "unet", "injection", "vqgan"}
    nets, info = load_ldbfr(out)
    assert_equal(nets, ldbfr.load(published))
    assert (info.name, info.licence, info.size) == (str(out), "as last.safetensors", nets.unet.config["sample_size"])
    assert "# Injection" in (out / "injection/README.md").read_text()
    assert settings(load("ldbfr", str(out)).pipeline.scheduler) == settings(ldbfr_schedule())
    with pytest.raises(WeightsError, match="ldbfr, which exists: name a new folder"):
        convert(published, out)


def test_the_file_itself_is_a_source(published):
    nets, info = load_ldbfr(published)
    assert_equal(nets, ldbfr.load(published))
    assert info.name == str(published) and "your own file" in info.licence
    assert "first_stage_model.loss.*" in info.note
