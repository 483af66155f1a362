"""The tiny nets of the golden outputs, as files under the authors' names; and all names of the published ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from limner.nets.injection import Injection
from limner.nets.lama import LaMa
from limner.nets.stage_a import StageA
from limner.nets.swinir import SwinIR, relative_position_index, shift_mask
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN
from limner.weights.formats.adm import adm_names
from limner.weights.formats.lama import lama_names
from limner.weights.formats.ldbfr import attention_blocks, injection_names, stage_a_names
from limner.weights.formats.swinir import swinir_names
from limner.weights.formats.vqgan import vqgan_names

from .drawn import Shape, Tensors, weights

Shapes = dict[str, Shape]


def named(net: nn.Module, names: Mapping[str, str]) -> Shapes:
    """Shapes of a net's parameters under the authors' names."""
    own = net.state_dict()
    return {theirs: tuple(own[ours].shape) for theirs, ours in names.items()}


def tables(stages: int, depth: int, side: int, device: str) -> Tensors:
    """What the authors' SwinIR saves and ours computes: position indices, and shift masks of the training size."""
    where = torch.device(device)
    found: Tensors = {}
    for stage in range(stages):
        for layer in range(depth):
            block = f"layers.{stage}.residual_group.blocks.{layer}"
            found[f"{block}.attn.relative_position_index"] = relative_position_index(8, torch.device("cpu"))
            if layer % 2:
                found[f"{block}.attn_mask"] = shift_mask(side, side, 8, where).clamp(min=-100)
    return found


# --- tiny ---------------------------------------------------------------------------------------------------


def difface(folder: Path) -> None:
    """`tiny_unet`, `tiny_swinir` and `tiny_lama`."""
    with torch.device("meta"):
        lama = LaMa(width=16, blocks=2)
        unet = UNet(128, 3, 6, 32, (1, 1, 2), (1, 2, 1), (2,), 16)
        swinir = SwinIR(channels=24, depths=(2, 2), heads=(2, 2))
    save_file(weights(named(unet, adm_names(unet)), "difface"), folder / "tiny_unet.safetensors")
    tensors = weights(named(swinir, swinir_names(swinir)), "swinir") | tables(2, 2, 16, "cpu")
    save_file(tensors, folder / "tiny_swinir.safetensors")
    shapes = named(lama, lama_names(lama))
    counts = {name: torch.tensor(0) for name in shapes if name.endswith("num_batches_tracked")}
    drawn = weights({name: shape for name, shape in shapes.items() if name not in counts}, "lama")
    save_file(drawn | counts, folder / "tiny_lama.safetensors")


def refldm(folder: Path) -> None:
    """`tiny_vqgan`; and `tiny_refldm`, whose weights differ from their running average, with its schedule."""
    with torch.device("meta"):
        vqgan = VQGAN(64, 4, 64, 32, (1, 2), 1, ())
        unet = UNet(32, 8, 4, 32, (1, 2), (1, 1), (0, 1), 16, False)
    codes = {"quantize.embedding.weight": 2.0}
    save_file(weights(named(vqgan, vqgan_names(vqgan)), "refldm vqgan", codes), folder / "tiny_vqgan.safetensors")
    shapes, calm = named(unet, adm_names(unet)), {"out.2.weight": 0.3}
    tensors = {f"model.diffusion_model.{name}": t for name, t in weights(shapes, "refldm", calm).items()}
    averaged = weights(shapes, "refldm average", calm)
    tensors |= {"model_ema." + f"diffusion_model.{name}".replace(".", ""): t for name, t in averaged.items()}
    tensors |= {"model_ema.decay": torch.tensor(0.9999), "model_ema.num_updates": torch.tensor(5, dtype=torch.int32)}
    tensors |= {name: torch.zeros(1000) for name in SCHEDULE_BUFFERS}
    save_file(tensors, folder / "tiny_refldm.safetensors")


SCHEDULE_BUFFERS = (
    *("betas", "alphas_cumprod", "alphas_cumprod_prev", "sqrt_alphas_cumprod", "sqrt_one_minus_alphas_cumprod"),
    *("log_one_minus_alphas_cumprod", "sqrt_recip_alphas_cumprod", "sqrt_recipm1_alphas_cumprod"),
    *("posterior_variance", "posterior_log_variance_clipped", "posterior_mean_coef1", "posterior_mean_coef2"),
)


def ldbfr(folder: Path) -> None:
    """Stage A, the autoencoder of z_0, and the U-Net in three files, the last with the injection."""
    with torch.device("meta"):
        stage_a = StageA(64, 64, 128, 32, (1, 1, 1, 2), 2, (3,))
        unet = UNet(32, 3, 3, 32, (1, 1, 2, 2), (2, 2, 2, 2), (1, 2, 3), 16, False)
        injection = Injection.for_unet(unet, (1, 2), 64, 8, positions=False)
        target = VQGAN(128, 3, 64, 32, (1, 1, 2), 2, (), asymmetric=True)
    features = {"quantize.embedding.weight": 2.0, "quant_conv.weight": 0.4}
    save_file(weights(named(stage_a, stage_a_names(stage_a)), "stage a", features), folder / "tiny_stage_a.safetensors")
    shapes = named(target, vqgan_names(target)) | never_called_target(32)
    save_file(weights(shapes, "target"), folder / "tiny_target_first_stage.safetensors")
    base = list(weights(named(unet, adm_names(unet)), "ldbfr", {"out.2.weight": 0.3}).items())
    cross = weights(named(injection, injection_names(injection, unet)) | never_called_unet(injection, unet), "cross")
    parts = {"unet_base_1": dict(base[::2]), "unet_base_2": dict(base[1::2]), "unet_cross": cross}
    for name, tensors in parts.items():
        save_file(tensors, folder / f"tiny_{name}.safetensors")


def never_called_target(width: int) -> Shapes:
    """Layers that the authors' asymmetric decoder has and doesn't call."""
    layer = "decoder.more_attn"
    both = {f"{layer}.norm.weight": (width,), f"{layer}.norm.bias": (width,)}
    for part in ("q", "k", "v", "proj_out"):
        both |= {f"{layer}.{part}.weight": (width, width, 1, 1), f"{layer}.{part}.bias": (width,)}
    return both


def never_called_unet(injection: Injection, unet: UNet) -> Shapes:
    """Layers that the authors' injected U-Net has and doesn't call."""
    shapes: Shapes = {"absolute_pos_embed": (1, unet.config["sample_size"] ** 2, 3)}
    blocks = attention_blocks(unet)
    for layer, place in injection.places.items():
        block, wide = f"{blocks[layer]}.cross", place.channels
        if place.half == "down":
            r = 2**place.level
            shapes |= {f"{block}_resize.weight": (3 * r**2, 3, r, r), f"{block}_resize.bias": (3 * r**2,)}
            shapes |= {f"{block}_norm_2.weight": (wide,), f"{block}_norm_2.bias": (wide,)}
        else:
            shapes |= {f"{block}_ff.net.0.proj.weight": (8 * wide, wide), f"{block}_ff.net.0.proj.bias": (8 * wide,)}
            shapes |= {f"{block}_ff.net.2.weight": (wide, 4 * wide), f"{block}_ff.net.2.bias": (wide,)}
    return shapes


# --- published ----------------------------------------------------------------------------------------------


def published() -> dict[str, Shapes]:
    """Names and shapes of every published net, from our nets of that size: what `make_data` records."""
    with torch.device("meta"):
        priors = {
            "unet_iddpm_ffhq512": UNet(),
            "unet_iddpm_ffhq256_inpaint": UNet(256, 3, 6, 128, (1, 1, 2, 2, 4, 4), (2,) * 6, (4, 5)),
            "refldm": UNet(64, 16, 8, 160, (1, 2, 2, 4), (2,) * 4, (1, 2, 3), 32, False),
        }
        swinir, lama, vqgan, stage_a = SwinIR(), LaMa(), VQGAN(), StageA()
        unet = UNet(64, 3, 3, 224, (1, 2, 3, 4), (2,) * 4, (1, 2, 3), 32, False)
        injection, target = Injection(), VQGAN(256, latent_channels=3, multipliers=(1, 2, 4), asymmetric=True)
    nets = {name: named(net, adm_names(net)) for name, net in priors.items()}
    masks = {name: tuple(tensor.shape) for name, tensor in tables(8, 6, 64, "meta").items()}
    nets["swinir_restoration512"] = named(swinir, swinir_names(swinir)) | masks
    nets["lama_inpainting256"] = named(lama, lama_names(lama))
    nets["vqgan"] = named(vqgan, vqgan_names(vqgan))
    nets["a_stage_a_vq"] = named(stage_a, stage_a_names(stage_a))
    nets["b_unet"] = named(unet, adm_names(unet)) | named(injection, injection_names(injection, unet))
    nets["b_unet"] |= never_called_unet(injection, unet)
    nets["c_target_first_stage"] = named(target, vqgan_names(target)) | never_called_target(128)
    return nets


def lay_out_published(recorded: Path, folder: Path) -> None:
    """The recorded names and shapes as a `manifest.json` for each method, as the authors' code gave them.

    Args:
        recorded: the file that `make_data` wrote.
        folder: `golden/`, with a folder for each method.
    """
    nets = json.loads(recorded.read_text(encoding="utf-8"))
    keys = {name: {key: {"shape": shape} for key, shape in shapes.items()} for name, shapes in nets.items()}
    totals = {"unet_iddpm_ffhq512": 159_788_454, "unet_iddpm_ffhq256_inpaint": 124_056_710}
    totals |= {"swinir_restoration512": 15_792_587, "lama_inpainting256": 50_975_875}
    write(folder / "difface", {name: {"keys": keys[name], "params": total} for name, total in totals.items()})
    order = [f"diffusion_model.{name}" for name in keys["refldm"]]
    denoiser = {f"model.{name}": keys["refldm"][name.removeprefix("diffusion_model.")] for name in order}
    average = {"model_ema." + name.replace(".", ""): denoiser[f"model.{name}"] for name in order}
    whole = {name: {"shape": [1000]} for name in SCHEDULE_BUFFERS} | denoiser | average
    losses = {"loss.discriminator.main.0.weight": {"shape": [64, 3, 4, 4]}}
    refldm = {"keys": whole, "unet_param_order": order, "non_persistent_buffers": ["lvlb_weights"]}
    vqgan = {"keys": keys["vqgan"] | losses, "inference_needs": list(keys["vqgan"])}
    write(folder / "refldm", {"refldm.ckpt": refldm, "vqgan.ckpt": vqgan})
    write(folder / "ldbfr", ldbfr_manifest(keys))


def ldbfr_manifest(keys: dict[str, dict]) -> dict:
    """Beside names and shapes: which layers are called and trained, and how many parameters the parts have."""
    unused = ("absolute_pos_embed", "cross_resize", "cross_norm_2", "cross_ff", "more_attn")
    rates = {"mid_Cross": 1, "encoder": 0.01}
    prefixes = {
        "a_stage_a_vq": "first_stage_model.",
        "b_unet": "model.diffusion_model.",
        "c_target_first_stage": "first_stage_model_gt.",
    }
    manifest = {}
    for part, prefix in prefixes.items():
        for name, fact in keys[part].items():
            fact |= {"unused": any(word in name for word in unused), "trainable": "cross_" in name}
            fact["stage_a_lr_factor"] = rates.get(name.split(".")[0], 0)
        manifest[part] = {"ckpt_prefix_in_ldm": prefix, "keys": keys[part]}
    manifest["summary"] = {
        "a": {"total": 72_936_003},
        "b": {"frozen_base_ldm": 274_056_163, "trainable_used": 71_657_152},
        "c": {"total": 55_832_350, "decoder_extra_unused_more_attn": 66_304},
        "ema": {"entries": 535},
        "schedule_buffers": {"keys": SCHEDULE_BUFFERS},
    }
    return manifest


def write(folder: Path, manifest: dict) -> None:
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
