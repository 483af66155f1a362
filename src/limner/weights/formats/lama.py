"""LaMa, DifFace's estimator for pictures with holes, under its authors' names. Sizes are read off the shapes."""

import re
from pathlib import Path
from typing import Any

from limner.errors import WeightsError
from limner.nets.lama import LaMa
from limner.weights.checkpoint import Checkpoint, opened
from limner.weights.net_config import build
from limner.weights.tensors import Tensors, fill, numbers, shape_of

STEM = "model.1.ffc.convl2l.weight"
LAYERS = {
    "local_to_local": "ffc.convl2l",
    "local_to_global": "ffc.convl2g",
    "global_to_local": "ffc.convg2l",
    "global_to_global.reduce": "ffc.convg2g.conv1",
    "global_to_global.fourier.conv": "ffc.convg2g.fu.conv_layer",
    "global_to_global.fourier.norm": "ffc.convg2g.fu.bn",
    "global_to_global.expand": "ffc.convg2g.conv2",
    "local_norm": "bn_l",
    "global_norm": "bn_g",
}
"""Our names in a layer to theirs."""


def detect(tensors: Tensors) -> bool:
    """Whether these are DifFace's LaMa."""
    return STEM in tensors


def load(source: Path | Checkpoint, sample_size: int = 256) -> LaMa:
    """DifFace's estimator for inpainting from the authors' file `LaMa_inpainting256.pth`.

    Args:
        source: the file.
        sample_size: side of the pictures in px, which no shape tells.

    Raises:
        WeightsError: the file can't be read, or a tensor is missing, not expected or of another shape.
    """
    checkpoint = opened(source)
    return build_lama(checkpoint.all(), checkpoint.path, sample_size)


def build_lama(tensors: Tensors, path: Path, sample_size: int = 256) -> LaMa:
    """A `LaMa` from tensors under the authors' names; `path` is for the error."""
    config = lama_config(tensors, path) | {"sample_size": sample_size}
    net = build(lambda: LaMa(**config), tensors, path)
    return fill(net, tensors, path, lama_names(net))


def lama_config(tensors: Tensors, path: Path) -> dict[str, Any]:
    """The arguments of `LaMa`, from names and shapes."""
    width = shape_of(tensors, STEM, 4, path)[0]
    blocks = [n for n in numbers(tensors, "model") if f"model.{n}.conv1.ffc.convl2l.weight" in tensors]
    if not blocks or blocks[0] < 3:
        raise WeightsError(f"The weights {path} don't fit LaMa: it has no block after its downsamplings.")
    near, far, *_ = shape_of(tensors, f"model.{blocks[0]}.conv1.ffc.convg2l.weight", 4, path)
    return {
        "width": width,
        "downsamplings": blocks[0] - 2,
        "blocks": len(blocks),
        "global_share": far / (near + far),
    }


def lama_names(net: LaMa) -> dict[str, str]:
    """The authors' name of every parameter and buffer to `LaMa`'s: they number all layers of one sequence, in which
    padding, ReLU and the joining of local and global features count too."""
    downs, blocks = int(net.config["downsamplings"]), int(net.config["blocks"])
    joined = 2 + downs + blocks
    places = {"stem": "model.1", "head": f"model.{joined + 3 * downs + 2}"}
    places |= {f"down.{n}": f"model.{n + 2}" for n in range(downs)}
    places |= {f"body.{n}": f"model.{n + 2 + downs}" for n in range(blocks)}
    places |= {f"up.{n}.{part}": f"model.{joined + 1 + 3 * n + part}" for n in range(downs) for part in (0, 1)}

    def theirs(ours: str) -> str:
        found = re.match(r"(?:down\.\d+|body\.\d+|up\.\d+\.\d|stem|head)(?=\.)", ours)
        assert found  # all of the net's parts
        rest = ours[found.end() + 1 :]
        for a, b in LAYERS.items():
            rest = re.sub(rf"^(conv[12]\.)?{re.escape(a)}(?=\.)", rf"\g<1>{b}", rest)
        return f"{places[found[0]]}.{rest}"

    return {theirs(ours): ours for ours in net.state_dict()}
