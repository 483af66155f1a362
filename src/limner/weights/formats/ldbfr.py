"""LD-BFR's checkpoints under its authors' names. They published none; this reads what their trainer would save.

Its file holds the four nets of stage B, each below a prefix: stage A, the autoencoder of z_0, and the U-Net with the
injection inside its attention layers, as it is and as a running average (EMA). Beside them lie layers that are never
called, the noise schedule, and whatever else training had, such as nets of losses and of metrics. The authors' program
takes what its nets have and passes over the rest, and so does this.
"""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from diffusers.models.modeling_utils import ModelMixin
from torch import nn

from limner.errors import WeightsError
from limner.nets.injection import FusionBlock, Injection, attention_places
from limner.nets.stage_a import StageA
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN
from limner.weights.checkpoint import Checkpoint, opened
from limner.weights.formats.adm import adm_names, build_adm_unet
from limner.weights.formats.refldm import EMA, RAW, denoiser, dotted
from limner.weights.formats.vqgan import PARTS, build_vqgan, vqgan_config, vqgan_names
from limner.weights.net_config import build
from limner.weights.tensors import Tensors, below, fill, shape_of

STAGE_A, TARGET = "first_stage_model.", "first_stage_model_gt."
CROSS = "mid_Cross."
"""What stage A has besides an autoencoder's parts."""

NEVER_CALLED = re.compile(
    r"absolute_pos_embed"
    r"|input_blocks\.\d+\.1\.cross_(resize|norm_2)\.(weight|bias)"  # unlike cross_norm2 of the output blocks
    r"|output_blocks\.\d+\.1\.cross_ff\.net\.(0\.proj|2)\.(weight|bias)"
    r"|decoder\.more_attn\.(norm|q|k|v|proj_out)\.(weight|bias)"
)
"""Layers that the authors' nets have and don't call."""


class LDBFRNets(NamedTuple):
    """What LD-BFR consists of; see `methods/ldbfr.py`."""

    stage_a: StageA
    unet: UNet
    injection: Injection
    vqgan: VQGAN

    def parts(self) -> dict[str, ModelMixin]:
        """What a folder of the pipeline holds, by the names of its folders; without a schedule it has the paper's."""
        return {"stage_a": self.stage_a, "unet": self.unet, "injection": self.injection, "vqgan": self.vqgan}


def detect(tensors: Tensors) -> bool:
    """Whether a file of the authors' trainer is LD-BFR's, judged by the names that only it has."""
    return any(name.startswith(TARGET) or (name.startswith((RAW, EMA)) and "cross_" in name) for name in tensors)


def load(
    source: Path | Checkpoint,
    heads: int = 8,
    head_channels: int = 32,
    stage_a_size: int = 512,
    latent_size: int = 64,
    vqgan_size: int = 256,
) -> LDBFRNets:
    """All nets from one file of the authors' trainer; of the U-Net its running average, or else its last weights.

    Args:
        source: the file.
        heads: of stage A's cross-attention.
        head_channels: width of the U-Net's attention heads and of the injection's.
        stage_a_size, latent_size, vqgan_size: `sample_size` of stage A, U-Net and autoencoder. These and the heads no
            shape tells.

    Raises:
        WeightsError: the file can't be read, or a tensor of a net is missing, not expected or of another shape.
    """
    checkpoint = opened(source)
    path = checkpoint.path
    stage_a, unet, vqgan = split_checkpoint(checkpoint)
    first = build_stage_a(stage_a, path, heads, stage_a_size)
    channels = first.config["latent_channels"]
    prior, injection = build_injected_unet(unet, path, channels, head_channels, latent_size)
    return LDBFRNets(first, prior, injection, build_target(vqgan, path, vqgan_size))


def split_checkpoint(checkpoint: Checkpoint) -> tuple[Tensors, Tensors, Tensors]:
    """The tensors of stage A, of the U-Net (averaged if possible) and of the autoencoder, without prefixes and without
    their losses."""
    stage_a = checkpoint.below(STAGE_A, (*PARTS, CROSS))
    unet = denoiser(checkpoint, dotted_ldbfr)
    vqgan = checkpoint.below(TARGET, PARTS)
    for prefix, part in ((STAGE_A, stage_a), (f"{EMA}... or {RAW}", unet), (TARGET, vqgan)):
        if not part:
            raise WeightsError(f"The weights {checkpoint.path} don't fit LD-BFR: no name begins with {prefix}...")
    return stage_a, unet, vqgan


_LAYER = re.compile(
    r"(cross_ff)(net)(?:(0)(proj)|(2))"
    r"|(cross_attn)(?:(to_out)(0)|(to_[qkv]))"
    r"|(cross_adaLN_modulation)(1)"
    r"|(cross_\w+?)(?=weight|bias)"
)


def dotted_ldbfr(name: str) -> str:
    """As `dotted`, with the injection's layers: `input_blocks41cross_norm_1weight` to
    `input_blocks.4.1.cross_norm_1.weight`, whose last number belongs to the word."""
    block, cross, layer = name.partition("cross_")
    return dotted(block) + _LAYER.sub(lambda word: "".join(f"{part}." for part in word.groups() if part), cross + layer)


def _called(tensors: Tensors) -> Tensors:
    return {name: tensor for name, tensor in tensors.items() if not NEVER_CALLED.fullmatch(name)}


# --- stage A and the autoencoder ----------------------------------------------------------------------------

_CROSS = {"q": "query", "k": "key", "v": "value", "proj_out": "out"}


def build_stage_a(tensors: Tensors, path: Path, heads: int = 8, sample_size: int = 512) -> StageA:
    """A `StageA` from tensors under the authors' names (any prefix already removed); `path` is for the error."""
    config = {"sample_size": sample_size, "heads": heads, **vqgan_config(tensors, path)}
    net = build(lambda: StageA(**config), tensors, path)
    return fill(net, tensors, path, stage_a_names(net))


def stage_a_names(net: StageA) -> dict[str, str]:
    """The authors' name of every parameter to `StageA`'s."""
    names = {theirs: f"vqgan.{ours}" for theirs, ours in vqgan_names(net.vqgan).items()}
    return names | _named(_CROSS, CROSS.removesuffix("."), "cross", net)


def build_target(tensors: Tensors, path: Path, sample_size: int = 256) -> VQGAN:
    """The autoencoder of z_0, whose decoder doubles the side; arguments as for `build_stage_a`."""
    return build_vqgan(_called(tensors), path, sample_size, asymmetric=True)


# --- the U-Net and the injection ----------------------------------------------------------------------------

FUSION = {
    "cross_conv_1": "conv1",
    "cross_norm_1": "norm1",
    "cross_conv_2": "conv2",
    "cross_norm": "norm2",
    "cross_qkv": "qkv",
    "cross_proj_out": "end",
}
MODULATION = {
    "cross_adaLN_modulation.1": "modulation",
    "cross_norm1": "norm1",
    "cross_norm2": "norm2",
    "cross_attn.to_q": "query",
    "cross_attn.to_k": "key",
    "cross_attn.to_v": "value",
    "cross_attn.to_out.0": "out",
    "cross_proj_out": "end",
}


def build_injected_unet(
    tensors: Tensors, path: Path, condition_channels: int = 256, head_channels: int = 32, sample_size: int = 64
) -> tuple[UNet, Injection]:
    """A `UNet` and the `Injection` that lies among its tensors.

    Args:
        tensors: under the authors' names, any prefix already removed.
        path: for the error.
        condition_channels: of stage A's feature; the shapes tell only how it reaches each level.
        head_channels, sample_size: of the U-Net, which no shape tells.

    Raises:
        WeightsError: a tensor is missing, not expected or of another shape.
    """
    cross = {name: tensor for name, tensor in _called(tensors).items() if ".cross_" in name}
    base = {name: tensor for name, tensor in _called(tensors).items() if name not in cross}
    unet = build_adm_unet(base, path, head_channels, sample_size)
    return unet, build_injection(cross, path, unet, condition_channels)


def build_injection(tensors: Tensors, path: Path, unet: UNet, condition_channels: int = 256) -> Injection:
    """The `Injection` beside a U-Net, from its own tensors; arguments as for `build_injected_unet`."""
    places = attention_places(*(unet.config[name] for name in ("width", "multipliers", "depths", "attention_levels")))
    blocks = list(zip(places, attention_blocks(unet), strict=True))
    injected = (place for place, block in blocks if place.half != "middle" and below(tensors, f"{block}.cross_"))
    levels = sorted({place.level for place in injected})
    if not levels:
        raise WeightsError(f"The weights {path} don't fit LD-BFR: their U-Net has no injection, no layer cross_...")
    # F of C channels reaches a level of r times its side with C / r^2 of them; r is a power of 2
    last = [block for place, block in blocks if place.level == levels[0]][-1]
    condition = shape_of(tensors, f"{last}.cross_attn.to_k.weight", 2, path)[1]
    ratio = 2.0 ** round(math.log2(condition_channels / condition) / 2)
    side = round(unet.config["sample_size"] / 2 ** levels[0] / ratio)
    net = build(lambda: Injection.for_unet(unet, levels, condition_channels, side, positions=False), tensors, path)
    return fill(net, tensors, path, injection_names(net, unet))


def injection_names(net: Injection, unet: UNet) -> dict[str, str]:
    """The authors' name of every parameter to `Injection`'s."""
    blocks = attention_blocks(unet)
    names: dict[str, str] = {}
    for layer in net.places:
        ours = f"blocks.{layer}"
        table = FUSION if isinstance(net.blocks[str(layer)], FusionBlock) else MODULATION
        names |= _named(table, blocks[layer], ours, net)
    return names


def attention_blocks(unet: UNet) -> list[str]:
    """The authors' name of every attention layer of a U-Net, in its order, `input_blocks.4.1`."""
    return [name.removesuffix(".qkv.weight") for name in adm_names(unet) if name.endswith(".qkv.weight")]


def _named(table: Mapping[str, str], theirs: str, ours: str, net: nn.Module) -> dict[str, str]:
    """A table of layers' names below `theirs` and `ours`, as one of the names of those parameters that `net` has."""
    own = net.state_dict()
    return {
        f"{theirs}.{a}.{kind}": f"{ours}.{b}.{kind}"
        for a, b in table.items()
        for kind in ("weight", "bias")
        if f"{ours}.{b}.{kind}" in own
    }
