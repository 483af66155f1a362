"""The checkpoints that authors published, read into this project's nets.

Two tables of names are all that stands between them: `adm_names` for U-Nets of the ADM family (DifFace, and
with a prefix ReF-LDM) and `swinir_names`. The sizes of a net are read off the shapes of its tensors.
"""

import math
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from limner.errors import WeightsError
from limner.nets.swinir import SwinIR, relative_position_index
from limner.nets.unet import UNet
from limner.weights import catalogue
from limner.weights.tensors import by, demand, fill, read_tensors

Tensors = Mapping[str, Tensor]


# --- U-Nets of the ADM family -------------------------------------------------------------------------------

_RES_BLOCK = {
    "in_layers.0": "norm1",
    "in_layers.2": "conv1",
    "emb_layers.1": "time",
    "out_layers.0": "norm2",
    "out_layers.3": "conv2",
    "skip_connection": "skip",
}
_ATTENTION = {"norm": "norm", "qkv": "qkv", "proj_out": "out"}


def load_difface_unet(path: Path, head_channels: int = 64) -> UNet:
    """DifFace's diffusion prior, 512 px or 256 px (inpainting), from the authors' file.

    Args:
        path: `iddpm_ffhq512_ema500000.pth` or a file with the same names.
        head_channels: width of an attention head, which no shape tells.

    Raises:
        WeightsError: the file can't be read, or a tensor is missing, not expected or of another shape.
    """
    return build_adm_unet(read_tensors(path), path, head_channels)


def build_adm_unet(tensors: Tensors, path: Path, head_channels: int = 64, sample_size: int | None = None) -> UNet:
    """A `UNet` from tensors under ADM's names (any prefix already removed); `path` is for the error."""
    config = adm_config(tensors, path, head_channels, sample_size)
    with torch.device("meta"):
        net = UNet(**config)
    names = adm_names(net)
    # A convolution over a sequence is stored with one trailing 1, a linear layer with none: both fit `fill`.
    return fill(net, tensors, path, names)


def adm_config(tensors: Tensors, path: Path, head_channels: int, sample_size: int | None = None) -> dict[str, Any]:
    """The arguments of `UNet`, from the shapes under `input_blocks`."""
    width = _shape(tensors, "time_embed.0.weight", 2, path)[1]
    channels, depths, attention = [], [0], set()
    for number in _numbers(tensors, "input_blocks"):
        if number == 0:  # the stem
            continue
        if _has(tensors, f"input_blocks.{number}.0.op"):
            depths.append(0)
            continue
        level = len(depths) - 1
        depths[level] += 1
        channels[level:] = [_shape(tensors, f"input_blocks.{number}.0.out_layers.3.weight", 4, path)[0]]
        if _has(tensors, f"input_blocks.{number}.1"):
            attention.add(level)
    if len(channels) != len(depths) or any(count % width for count in channels):
        raise WeightsError(f"The weights {path} don't fit UNet: its levels have {channels} channels of {width}.")
    if any(channels[level] % head_channels for level in attention):
        raise WeightsError(
            f"The weights {path} can't have attention heads of {head_channels} channels: "
            f"their levels have {', '.join(str(channels[level]) for level in sorted(attention))}."
        )
    first = "input_blocks.1.0"
    time_outputs = _shape(tensors, f"{first}.emb_layers.1.weight", 2, path)[0]
    return {
        # Both published priors end at 8x8; no shape depends on it.
        "sample_size": sample_size or 8 * 2 ** (len(depths) - 1),
        "in_channels": _shape(tensors, "input_blocks.0.0.weight", 4, path)[1],
        "out_channels": _shape(tensors, "out.2.weight", 4, path)[0],
        "width": width,
        "multipliers": tuple(count // width for count in channels),
        "depths": tuple(depths),
        "attention_levels": tuple(sorted(attention)),
        "head_channels": head_channels,
        "scale_shift": time_outputs == 2 * channels[0],
    }


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
        for place, part in enumerate(stage.blocks):  # type: ignore[union-attr]
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
        for place, part in enumerate(stage.blocks):  # type: ignore[union-attr]
            attention = part.attention is not None
            yield from block(f"output_blocks.{number}", f"up.{level}.blocks.{place}", attention)
            number += 1
        if stage.resample is not None:
            yield f"output_blocks.{number - 1}.{2 if attention else 1}.conv", f"up.{level}.resample"

    yield "out.0", "norm"
    yield "out.2", "head"


# --- SwinIR -------------------------------------------------------------------------------------------------


def load_swinir(path: Path) -> SwinIR:
    """DifFace's regressor from the authors' file `swinir_restoration512_L1.pth`.

    Raises:
        WeightsError: the file can't be read, or a tensor is missing, not expected or of another shape.
    """
    return build_swinir(read_tensors(path), path)


def build_swinir(tensors: Tensors, path: Path) -> SwinIR:
    """A `SwinIR` from tensors under the authors' names; `path` is for the error."""
    with torch.device("meta"):
        net = SwinIR(**swinir_config(tensors, path))
    names = swinir_names(net)
    tables = swinir_tables(net, tensors)
    shapes = {theirs: tuple(net.get_parameter(ours).shape) for theirs, ours in names.items()} | tables
    demand(tensors, shapes, path, "SwinIR")
    index = relative_position_index(net.window, torch.device("cpu"))
    for name in tables:
        if name.endswith("index") and not torch.equal(tensors[name], index):
            raise WeightsError(f"The weights {path} order the positions in a window in another way ({name}).")
    return fill(net, {theirs: tensors[theirs] for theirs in names}, path, names)


def swinir_config(tensors: Tensors, path: Path) -> dict[str, Any]:
    """The arguments of `SwinIR`, from the shapes."""
    channels, folded, *_ = _shape(tensors, "conv_first.1.weight", 4, path)
    stages = [f"layers.{number}.residual_group.blocks" for number in _numbers(tensors, "layers")]
    table, hidden = "attn.relative_position_bias_table", "mlp.fc1.weight"
    tables = [_shape(tensors, f"{stage}.0.{table}", 2, path) for stage in stages]
    if not stages:
        raise WeightsError(f"The weights {path} don't fit SwinIR: layers.0 is missing.")
    return {
        "channels": channels,
        "depths": tuple(len(_numbers(tensors, stage)) for stage in stages),
        "heads": tuple(heads for _, heads in tables),
        "window": (math.isqrt(tables[0][0]) + 1) // 2,
        "mlp_ratio": _shape(tensors, f"{stages[0]}.0.{hidden}", 2, path)[0] / channels,
        "unshuffle": math.isqrt(folded // 3),
        "reconstruction_channels": _shape(tensors, "conv_before_upsample.0.weight", 4, path)[0],
    }


def swinir_names(net: SwinIR) -> dict[str, str]:
    """The authors' name of every parameter to `SwinIR`'s."""

    def theirs(ours: str) -> str:
        name = re.sub(r"^stages\.(\d+)\.blocks", r"layers.\1.residual_group.blocks", ours)
        name = re.sub(r"^stages", "layers", name)
        name = name.replace("mlp.0", "mlp.fc1").replace("mlp.2", "mlp.fc2")
        name = name.replace("patch_norm", "patch_embed.norm").replace("conv_first", "conv_first.1")
        name = name.replace("conv_before_upsample", "conv_before_upsample.0")
        return re.sub(r"^conv_up\.(\d)", lambda found: f"conv_up{int(found[1]) + 1}", name)

    return {theirs(ours): ours for ours in net.state_dict()}


def swinir_tables(net: SwinIR, tensors: Tensors) -> dict[str, tuple[int, ...]]:
    """Shapes of what the authors' file holds and ours computes: position indices and shift masks.

    The number of windows of a mask is that of the training size, so it is taken as found.
    """
    area = net.window**2
    shapes = {}
    for stage, depth in enumerate(net.config["depths"]):
        for layer in range(depth):
            block = f"layers.{stage}.residual_group.blocks.{layer}"
            shapes[f"{block}.attn.relative_position_index"] = (area, area)
            if layer % 2:
                mask = f"{block}.attn_mask"
                windows = tensors[mask].shape[0] if mask in tensors and tensors[mask].ndim else 1
                shapes[mask] = (windows, area, area)
    return shapes


# --- any of them --------------------------------------------------------------------------------------------

LOADERS: dict[str, Callable[[Path], nn.Module]] = {"difface-unet": load_difface_unet, "swinir": load_swinir}


def kind_of(tensors: Tensors, path: Path) -> str:
    """Which of `LOADERS` reads a file, judged by its names."""
    if "input_blocks.0.0.weight" in tensors:
        return "difface-unet"
    if "conv_first.1.weight" in tensors:
        return "swinir"
    raise WeightsError(
        f"The weights {path} are of no kind that limner can convert (DifFace's U-Net and its SwinIR): "
        f"their first tensor is called {next(iter(tensors), 'nothing')}."
    )


def convert(path: Path, out: Path) -> Path:
    """Turns a published file into a folder of ours: config.json, safetensors and a card with the licence.

    Args:
        path: the authors' file.
        out: the folder to make. For `DifFacePipeline`, call it `unet` or `estimator` inside a common folder.

    Raises:
        WeightsError: the file can't be read strictly, or `out` exists.
    """
    if out.exists():
        raise WeightsError(f"Can't convert {path} into {out}, which exists: name a new folder.")
    net = LOADERS[kind_of(read_tensors(path), path)](path)
    unfinished = out.with_name(out.name + ".part")
    shutil.rmtree(unfinished, ignore_errors=True)
    net.save_pretrained(unfinished)  # type: ignore[operator]
    (unfinished / "README.md").write_text(_card(net, path), encoding="utf-8")
    os.replace(unfinished, out)
    return out


def _card(net: nn.Module, path: Path) -> str:
    known = [w for w in catalogue.WEIGHTS if isinstance(w, catalogue.Published) and w.file == path.name]
    licence = known[0].licence if known else f"as {path.name}"
    source = known[0].url if known else path.name
    return (
        f"---\nlicense: other\nlicense_name: {licence}\n---\n\n# {type(net).__name__}\n\n"
        f"Converted from {source} (sha256 {catalogue.sha256(path)}). Its licence holds for this file too.\n"
    )


def _numbers(tensors: Tensors, prefix: str) -> list[int]:
    """The numbers n of all names `prefix.n...`, in order."""
    pattern = re.compile(re.escape(prefix) + r"\.(\d+)\.")
    return sorted({int(found[1]) for name in tensors if (found := pattern.match(name))})


def _has(tensors: Tensors, prefix: str) -> bool:
    return any(name.startswith(f"{prefix}.") for name in tensors)


def _shape(tensors: Tensors, name: str, dimensions: int, path: Path) -> tuple[int, ...]:
    if name not in tensors:
        raise WeightsError(f"The weights {path} are not what they should be: {name} is missing.")
    shape = tuple(tensors[name].shape)
    if len(shape) != dimensions:
        raise WeightsError(f"The weights {path} are not what they should be: {name} has the shape {by(shape)}.")
    return shape
