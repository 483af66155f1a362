"""ReF-LDM's first stage, `vqgan.ckpt`, under its authors' names, and the autoencoders of LD-BFR that share them.

Besides the net there may be those of its losses and a trainer's state, which the authors' program passes over, and so
does this.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import nn

from limner.errors import WeightsError
from limner.nets.vqgan import VQGAN, Attention
from limner.weights.checkpoint import Checkpoint, opened
from limner.weights.net_config import build
from limner.weights.tensors import Tensors, fill, has, numbers, shape_of

PARTS = ("encoder.", "decoder.", "quantize.", "quant_conv.", "post_quant_conv.")
"""What the net's own names begin with."""

_RES_BLOCK = {"norm1": "norm1", "conv1": "conv1", "norm2": "norm2", "conv2": "conv2", "nin_shortcut": "skip"}
_ATTENTION = {"norm": "norm", "q": "query", "k": "key", "v": "value", "proj_out": "out"}


def detect(tensors: Tensors) -> bool:
    """Whether these are an autoencoder's with a codebook."""
    return "quantize.embedding.weight" in tensors


def load(source: Path | Checkpoint, sample_size: int = 512) -> VQGAN:
    """ReF-LDM's first stage from the authors' file.

    Args:
        source: `vqgan.ckpt` or a file with the same names.
        sample_size: side in px of the pictures that it was trained with, which no shape tells.

    Raises:
        WeightsError: the file can't be read, or a tensor of the net is missing, not expected or of another shape.
    """
    checkpoint = opened(source)
    return build_vqgan(checkpoint.below("", PARTS), checkpoint.path, sample_size)


def build_vqgan(tensors: Tensors, path: Path, sample_size: int = 512, asymmetric: bool = False) -> VQGAN:
    """A `VQGAN` from tensors under the authors' names (any prefix already removed); `path` is for the error."""
    config = {"sample_size": sample_size, "asymmetric": asymmetric, **vqgan_config(tensors, path)}
    net = build(lambda: VQGAN(**config), tensors, path)
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

    for coder, half in (("encoder", net.encoder), ("decoder", net.decoder)):
        names = zip(("block_1", "attn_1", "block_2"), half.middle, strict=True)
        for place, (name, part) in enumerate(names):
            yield from inside(f"{coder}.mid.{name}", f"{coder}.middle.{place}", part)
        last = len(half.levels) - 1
        for number, level in enumerate(half.levels):
            theirs = f"encoder.down.{number}" if coder == "encoder" else f"decoder.up.{last - number}"
            seen = {"block": 0, "attn": 0}
            for place, part in enumerate(level.children()):
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
