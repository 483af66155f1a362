"""U-Nets of the ADM family under their authors' names: DifFace's, and below prefixes ReF-LDM's and LD-BFR's. The sizes
of a net are read off the shapes of its tensors."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from limner.errors import WeightsError
from limner.nets.unet import UNet
from limner.weights.checkpoint import Checkpoint, opened
from limner.weights.net_config import build
from limner.weights.tensors import Tensors, fill, has, numbers, shape_of

_RES_BLOCK = {
    "in_layers.0": "norm1",
    "in_layers.2": "conv1",
    "emb_layers.1": "time",
    "out_layers.0": "norm2",
    "out_layers.3": "conv2",
    "skip_connection": "skip",
}
_ATTENTION = {"norm": "norm", "qkv": "qkv", "proj_out": "out"}
PUBLISHED_HEAD = 64
"""Channels of an attention head in both of DifFace's published priors."""


def detect(tensors: Tensors) -> bool:
    """Whether these are DifFace's, with ADM's names and no prefix."""
    return "input_blocks.0.0.weight" in tensors


def load(
    source: Path | Checkpoint, head_channels: int = PUBLISHED_HEAD, sample_size: int | None = None, groups: int = 32
) -> UNet:
    """DifFace's diffusion prior, 512 px or 256 px (inpainting), from the authors' file.

    Args:
        source: `iddpm_ffhq512_ema500000.pth` or a file with the same names.
        head_channels: width of an attention head, which no shape tells; a divisor of the channels at every attention
            layer.
        sample_size: side of the pictures in px, which no shape tells either; by default the last level's is 8, as in
            both published priors.
        groups: of the group normalisation, which no shape tells; 32 in all published nets.

    Raises:
        WeightsError: the file can't be read; a tensor is missing, not expected or of another shape; heads of this
            width don't divide the channels of a level or of the middle; or the groups don't divide a level's.
    """
    checkpoint = opened(source)
    return build_adm_unet(checkpoint.all(), checkpoint.path, head_channels, sample_size, groups)


def build_adm_unet(
    tensors: Tensors,
    path: Path,
    head_channels: int = PUBLISHED_HEAD,
    sample_size: int | None = None,
    groups: int = 32,
) -> UNet:
    """A `UNet` from tensors under ADM's names (any prefix already removed); `path` is for the error."""
    config = adm_config(tensors, path, head_channels, sample_size)
    if groups < 1 or any(config["width"] * multiplier % groups for multiplier in config["multipliers"]):
        raise WeightsError(
            f"The weights {path} can't have group normalisation of {groups} groups: their levels have multiples of "
            f"{config['width']} channels; no shape tells the number, so give one that divides them as groups."
        )
    config["groups"] = groups
    net = build(lambda: UNet(**config), tensors, path)
    names = adm_names(net)
    # A convolution over a sequence is stored with one trailing 1, a linear layer with none: both fit `fill`.
    return fill(net, tensors, path, names)


def adm_config(tensors: Tensors, path: Path, head_channels: int, sample_size: int | None = None) -> dict[str, Any]:
    """The arguments of `UNet`, from the shapes under `input_blocks`."""
    width = shape_of(tensors, "time_embed.0.weight", 2, path)[1]
    channels, depths, attention = [], [0], set()
    for number in numbers(tensors, "input_blocks"):
        if number == 0:  # the stem
            continue
        if has(tensors, f"input_blocks.{number}.0.op"):
            depths.append(0)
            continue
        level = len(depths) - 1
        depths[level] += 1
        channels[level:] = [shape_of(tensors, f"input_blocks.{number}.0.out_layers.3.weight", 4, path)[0]]
        if has(tensors, f"input_blocks.{number}.1"):
            attention.add(level)
    if len(channels) != len(depths) or any(count % width for count in channels):
        raise WeightsError(f"The weights {path} don't fit UNet: its levels have {channels} channels of {width}.")
    _check_heads(channels, attention, path, head_channels)
    first = "input_blocks.1.0"
    time_outputs = shape_of(tensors, f"{first}.emb_layers.1.weight", 2, path)[0]
    return {
        # Both published priors end at 8x8; no shape depends on it.
        "sample_size": sample_size or 8 * 2 ** (len(depths) - 1),
        "in_channels": shape_of(tensors, "input_blocks.0.0.weight", 4, path)[1],
        "out_channels": shape_of(tensors, "out.2.weight", 4, path)[0],
        "width": width,
        "multipliers": tuple(count // width for count in channels),
        "depths": tuple(depths),
        "attention_levels": tuple(sorted(attention)),
        "head_channels": head_channels,
        "scale_shift": time_outputs == 2 * channels[0],
    }


def _check_heads(channels: list[int], attention: set[int], path: Path, head_channels: int) -> None:
    """Attention lies at some levels and always in the middle, which is as wide as the last level."""
    levels = [channels[level] for level in sorted(attention)]
    widths = [*levels, channels[-1]]
    if head_channels < 1 or any(width % head_channels for width in widths):
        raise WeightsError(
            f"The weights {path} can't have attention heads of {head_channels} channels: their levels have "
            f"{', '.join(map(str, levels)) or 'no attention'}, their middle has {channels[-1]}; no shape tells the "
            f"width of a head, so give one that divides them as head_channels (at most {math.gcd(*widths)})."
        )


def adm_names(net: UNet) -> dict[str, str]:
    """ADM's name of every parameter to `UNet`'s, `out.2.weight` to `head.weight`."""
    own = net.state_dict()
    return {
        f"{theirs}.{kind}": f"{ours}.{kind}"
        for theirs, ours in _adm_layers(net)
        for kind in ("weight", "bias")
        if f"{ours}.{kind}" in own
    }


def _adm_layers(net: UNet) -> Iterator[tuple[str, str]]:
    """Walks the net in ADM's order: a number for each residual block or downsampling; upsampling has none."""

    def block(theirs: str, ours: str, attention: bool) -> Iterator[tuple[str, str]]:
        yield from ((f"{theirs}.0.{a}", f"{ours}.res.{b}") for a, b in _RES_BLOCK.items())
        if attention:
            yield from ((f"{theirs}.1.{a}", f"{ours}.attention.{b}") for a, b in _ATTENTION.items())

    yield "time_embed.0", "time.linear1"
    yield "time_embed.2", "time.linear2"
    yield "input_blocks.0.0", "stem"
    number = 1
    for level, stage in enumerate(net.down):
        for place, part in enumerate(stage.blocks):
            yield from block(f"input_blocks.{number}", f"down.{level}.blocks.{place}", part.attention is not None)
            number += 1
        if stage.resample is not None:
            yield f"input_blocks.{number}.0.op", f"down.{level}.resample"
            number += 1

    yield from block("middle_block", "middle.0", attention=True)
    yield from ((f"middle_block.2.{a}", f"middle.1.res.{b}") for a, b in _RES_BLOCK.items())

    number = 0
    for level, stage in enumerate(net.up):
        attention = False
        for place, part in enumerate(stage.blocks):
            attention = part.attention is not None
            yield from block(f"output_blocks.{number}", f"up.{level}.blocks.{place}", attention)
            number += 1
        if stage.resample is not None:
            yield f"output_blocks.{number - 1}.{2 if attention else 1}.conv", f"up.{level}.resample"

    yield "out.0", "norm"
    yield "out.2", "head"
