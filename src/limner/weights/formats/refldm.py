"""ReF-LDM's two checkpoints, `refldm.ckpt` and `vqgan.ckpt`, under their authors' names.

`refldm.ckpt` is what a training class saves: the U-Net, its running average (EMA), the noise schedule, and perhaps the
first stage, up to three times over. `vqgan.ckpt` is the first stage, perhaps with the nets of its losses. Which of the
parts that nobody needs here were left in isn't stated anywhere, so all are known by name, and nothing else is let pass.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from limner.errors import WeightsError
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN, Attention
from limner.weights.formats.adm import build_adm_unet
from limner.weights.tensors import Tensors, below, fill, has, listing, numbers, read_tensors, shape_of

RAW, EMA = "model.diffusion_model.", "model_ema.diffusion_model"
UNUSED = ("first_stage_model.", "cond_stage_model.", "perceptual_loss.", "loss.")
"""Copies of what `vqgan.ckpt` holds, and nets of the losses."""
BUFFERS = {
    *("betas", "alphas_cumprod", "alphas_cumprod_prev", "sqrt_alphas_cumprod", "sqrt_one_minus_alphas_cumprod"),
    *("log_one_minus_alphas_cumprod", "sqrt_recip_alphas_cumprod", "sqrt_recipm1_alphas_cumprod"),
    *("posterior_variance", "posterior_log_variance_clipped", "posterior_mean_coef1", "posterior_mean_coef2"),
    *("lvlb_weights", "logvar", "model_ema.decay", "model_ema.num_updates"),
}
"""The noise schedule, which `schedules.refldm_schedule` makes anew, and the state of the average."""


# --- the U-Net ----------------------------------------------------------------------------------------------


def load_refldm_unet(path: Path, head_channels: int = 32, sample_size: int = 64) -> UNet:
    """ReF-LDM's denoiser from the authors' file `refldm.ckpt`: its running average, or the last weights without one.

    Args:
        path: the file.
        head_channels, sample_size: of the net, which no shape tells.

    Raises:
        WeightsError: the file can't be read, or a tensor is missing, not expected or of another shape.
    """
    tensors = unet_tensors(read_tensors(path), path)
    return build_adm_unet(tensors, path, head_channels, sample_size)


def unet_tensors(tensors: Tensors, path: Path) -> Tensors:
    """The U-Net's part of `refldm.ckpt`, averaged if possible, without prefixes; `path` is for the error."""
    known = (RAW, EMA, *UNUSED)
    others = [name for name in tensors if not name.startswith(known) and name not in BUFFERS]
    if others:
        raise WeightsError(f"The weights {path} don't fit ReF-LDM: {listing(others)} not expected.")
    found = {dotted(name): tensor for name, tensor in below(tensors, EMA).items()} or below(tensors, RAW)
    if not found:
        raise WeightsError(f"The weights {path} hold no U-Net of ReF-LDM, neither {EMA}... nor {RAW}...")
    return found


_WORDS = re.compile(
    r"(input_blocks|output_blocks)(\d+)(\d)"
    r"|(middle_block|time_embed|in_layers|emb_layers|out_layers|out)(\d)"
    r"|(skip_connection|proj_out|norm|qkv|op|conv)"
)


def dotted(name: str) -> str:
    """Puts back the dots that the running average's names lack: `input_blocks101in_layers0weight` to
    `input_blocks.10.1.in_layers.0.weight`. Only a block's number has more than one digit."""
    return _WORDS.sub(lambda word: "".join(f"{part}." for part in word.groups() if part), name)


# --- the VQGAN ----------------------------------------------------------------------------------------------

_RES_BLOCK = {"norm1": "norm1", "conv1": "conv1", "norm2": "norm2", "conv2": "conv2", "nin_shortcut": "skip"}
_ATTENTION = {"norm": "norm", "q": "query", "k": "key", "v": "value", "proj_out": "out"}


def load_refldm_vqgan(path: Path, sample_size: int = 512) -> VQGAN:
    """ReF-LDM's first stage from the authors' file `vqgan.ckpt`.

    Args:
        path: the file.
        sample_size: side of the pictures that it was trained with, which no shape tells.

    Raises:
        WeightsError: the file can't be read, or a tensor is missing, not expected or of another shape.
    """
    tensors = {name: tensor for name, tensor in read_tensors(path).items() if not name.startswith("loss.")}
    return build_vqgan(tensors, path, sample_size)


def build_vqgan(tensors: Tensors, path: Path, sample_size: int = 512, asymmetric: bool = False) -> VQGAN:
    """A `VQGAN` from tensors under the authors' names (any prefix already removed); `path` is for the error."""
    with torch.device("meta"):
        net = VQGAN(sample_size=sample_size, asymmetric=asymmetric, **vqgan_config(tensors, path))
    return fill(net, tensors, path, vqgan_names(net))


def vqgan_config(tensors: Tensors, path: Path) -> dict[str, Any]:
    """The arguments of `VQGAN`, from the shapes."""
    width = shape_of(tensors, "encoder.conv_in.weight", 4, path)[0]
    levels = numbers(tensors, "encoder.down")
    channels = [shape_of(tensors, f"encoder.down.{level}.block.0.conv2.weight", 4, path)[0] for level in levels]
    codes, latent_channels = shape_of(tensors, "quantize.embedding.weight", 2, path)
    if not channels or any(count % width for count in channels):
        raise WeightsError(f"The weights {path} don't fit VQGAN: its levels have {channels} channels of {width}.")
    return {
        "latent_channels": latent_channels,
        "codebook_size": codes,
        "width": width,
        "multipliers": tuple(count // width for count in channels),
        "depth": len(numbers(tensors, "encoder.down.0.block")),
        "attention_levels": tuple(level for level in levels if has(tensors, f"encoder.down.{level}.attn")),
    }


def vqgan_names(net: VQGAN) -> dict[str, str]:
    """The authors' name of every parameter to `VQGAN`'s."""
    own = net.state_dict()
    layers = {"quantize.embedding": "codebook", "quant_conv": "to_latent", "post_quant_conv": "from_latent"}
    for coder in ("encoder", "decoder"):
        layers |= {f"{coder}.conv_in": f"{coder}.stem", f"{coder}.norm_out": f"{coder}.norm"}
        layers |= {f"{coder}.conv_out": f"{coder}.head"}
    layers |= dict(_vqgan_layers(net))
    return {
        f"{theirs}.{kind}": f"{ours}.{kind}"
        for theirs, ours in layers.items()
        for kind in ("weight", "bias")
        if f"{ours}.{kind}" in own
    }


def _vqgan_layers(net: VQGAN) -> Iterator[tuple[str, str]]:
    """Every layer of a level, the middle or (LD-BFR) beyond. The authors count the decoder's levels from the largest
    resolution, ours begin with the smallest; theirs list a level's residual blocks and its attention apart, ours in
    turn."""

    def inside(theirs: str, ours: str, part: nn.Module) -> Iterator[tuple[str, str]]:
        table = _ATTENTION if isinstance(part, Attention) else _RES_BLOCK
        yield from ((f"{theirs}.{a}", f"{ours}.{b}") for a, b in table.items())

    for coder, levels in (("encoder", net.encoder.levels), ("decoder", net.decoder.levels)):
        names = zip(("block_1", "attn_1", "block_2"), getattr(net, coder).middle, strict=True)
        for place, (name, part) in enumerate(names):
            yield from inside(f"{coder}.mid.{name}", f"{coder}.middle.{place}", part)
        last = len(levels) - 1
        for number, level in enumerate(levels):
            theirs = f"encoder.down.{number}" if coder == "encoder" else f"decoder.up.{last - number}"
            seen = {"block": 0, "attn": 0}
            for place, part in enumerate(level):  # type: ignore[arg-type]
                kind = "attn" if isinstance(part, Attention) else "block"
                yield from inside(f"{theirs}.{kind}.{seen[kind]}", f"{coder}.levels.{number}.{place}", part)
                seen[kind] += 1
            if number < last and coder == "encoder":
                yield f"{theirs}.downsample.conv", f"encoder.shrink.{number}"
            if number < last and coder == "decoder":
                yield f"{theirs}.upsample.conv", f"decoder.grow.{number}"
    if len(net.decoder.beyond):
        yield from inside("decoder.more_res", "decoder.beyond.0", net.decoder.beyond[0])
        yield "decoder.more_up.conv", "decoder.beyond.1"
