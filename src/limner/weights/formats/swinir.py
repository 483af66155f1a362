"""SwinIR under its authors' names. Its sizes are read off the shapes of its tensors."""

import math
import re
from pathlib import Path
from typing import Any

import torch

from limner.errors import WeightsError
from limner.nets.swinir import SwinIR, relative_position_index
from limner.weights.checkpoint import Checkpoint, opened
from limner.weights.net_config import build
from limner.weights.tensors import Tensors, demand, fill, numbers, shape_of


def detect(tensors: Tensors) -> bool:
    """Whether these are DifFace's SwinIR, whose first convolution follows a pixel-unshuffle."""
    return "conv_first.1.weight" in tensors


def load(source: Path | Checkpoint) -> SwinIR:
    """DifFace's regressor from the authors' file `swinir_restoration512_L1.pth`.

    Raises:
        WeightsError: the file can't be read, or a tensor is missing, not expected or of another shape.
    """
    checkpoint = opened(source)
    return build_swinir(checkpoint.all(), checkpoint.path)


def build_swinir(tensors: Tensors, path: Path) -> SwinIR:
    """A `SwinIR` from tensors under the authors' names; `path` is for the error."""
    config = swinir_config(tensors, path)
    net = build(lambda: SwinIR(**config), tensors, path)
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
    channels, folded, *_ = shape_of(tensors, "conv_first.1.weight", 4, path)
    stages = [f"layers.{number}.residual_group.blocks" for number in numbers(tensors, "layers")]
    table, hidden = "attn.relative_position_bias_table", "mlp.fc1.weight"
    tables = [shape_of(tensors, f"{stage}.0.{table}", 2, path) for stage in stages]
    if not stages:
        raise WeightsError(f"The weights {path} don't fit SwinIR: layers.0 is missing.")
    return {
        "channels": channels,
        "depths": tuple(len(numbers(tensors, stage)) for stage in stages),
        "heads": tuple(heads for _, heads in tables),
        "window": (math.isqrt(tables[0][0]) + 1) // 2,
        "mlp_ratio": shape_of(tensors, f"{stages[0]}.0.{hidden}", 2, path)[0] / channels,
        "unshuffle": math.isqrt(folded // 3),
        "reconstruction_channels": shape_of(tensors, "conv_before_upsample.0.weight", 4, path)[0],
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
