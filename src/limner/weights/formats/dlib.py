"""dlib's face recogniser (`dlib_face_recognition_resnet_model_v1.dat`, in the public domain), read without dlib.

A `.dat` is a stream without names for its values: whole numbers take a byte that says how many bytes follow (its
highest bit is the sign), fractions are a whole number times a power of two, strings have their length before them, and
tensors their version, four sizes and float32s. The layers stand in it from the picture to the vector; only a stream
that is this net's in every number is read.
"""

from __future__ import annotations

import math
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from limner.errors import WeightsError
from limner.nets.dlib_resnet import MEAN_RGB, SIDE, Block, DlibResNet
from limner.weights.checkpoint import Checkpoint
from limner.weights.tensors import Tensors, demand, fill

PACKAGE = "face_recognition_models"
FILE = "dlib_face_recognition_resnet_model_v1.dat"
MOST_BYTES = 32 << 20
"""The published file has 22.5 MB."""
STEPS = 130
"""Places of the net that state the version of their layout: layers, tags and what refers to them."""


def installed() -> Path | None:
    """The recogniser's file in the package `face_recognition_models`, which isn't imported; None without it."""
    spec = find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (path := Path(folder) / "models" / FILE).is_file():
            return path
    return None


def detect(tensors: Tensors) -> bool:
    """Whether these are the recogniser's, under the names of `DlibResNet`."""
    return {"stem.weight", "blocks.13.second.weight", "fc.weight"} <= tensors.keys()


def load(source: Path | Checkpoint) -> DlibResNet:
    """The net, its affine layers folded in, in float32 on the CPU, in evaluation mode.

    Args:
        source: dlib's `.dat`; or a checkpoint with the names of `DlibResNet`.

    Raises:
        WeightsError: the file can't be read or is no `.dat` of this net.
    """
    with torch.device("meta"):
        net = DlibResNet()
    if isinstance(source, Checkpoint):
        tensors, path = source.all(), source.path
    else:
        tensors, path = read_dat(source, net), source
    demand(tensors, {name: tuple(value.shape) for name, value in net.state_dict().items()}, path, "DlibResNet")
    return fill(net, tensors, path)


def read_dat(path: Path, net: DlibResNet) -> dict[str, Tensor]:
    """The tensors of a `.dat` under the names of `net`, which says what must stand in the file.

    Raises:
        WeightsError: the file can't be read, is too large, or holds something else than this net.
    """
    stream = _Stream(path)
    stream.numbers(1)
    stream.text("loss_metric_2")
    for _ in ("margin", "threshold"):  # of the loss
        stream.fraction()
    stream.versions()
    stream.text("input_rgb_image_sized")
    for mean in MEAN_RGB:
        stream.demand(abs(stream.fraction() - mean) < 1e-3)
    stream.numbers(SIDE, SIDE)
    found = stream.convolution("stem", net.stem)
    stream.layer("relu_")
    stream.layer("max_pool_2", 3, 3, 2, 2, 0, 0)
    for number, block in enumerate(net.blocks):
        found |= _block(stream, f"blocks.{number}", block)
    stream.layer("avg_pool_2", 0, 0, 1, 1, 0, 0)  # a window of 0 is the whole map
    found["fc.weight"] = stream.linear(net.fc)
    stream.end()
    return found


def _block(stream: _Stream, name: str, block: Block) -> dict[str, Tensor]:
    found = stream.convolution(f"{name}.first", block.first)
    stream.layer("relu_")
    found |= stream.convolution(f"{name}.second", block.second)
    if block.stride > 1:
        stream.layer("avg_pool_2", 2, 2, 2, 2, 0, 0)
    stream.layer("add_prev_")
    stream.layer("relu_")
    return found


class _Stream:
    """The bytes of a `.dat` and the place up to which they are read."""

    def __init__(self, path: Path):
        self.path, self.place = path, 0
        try:
            self.data = path.read_bytes() if path.stat().st_size <= MOST_BYTES else b""
        except OSError as error:
            raise WeightsError(f"Can't read the weights {path}: {error.strerror or error}.") from error

    def demand(self, right: bool) -> None:
        """Raises a WeightsError unless what was just read is right."""
        if not right:
            raise WeightsError(
                f"The weights {self.path} are not dlib's face recogniser as published ({FILE}), or are damaged, from "
                f"byte {min(self.place, len(self.data))} on: get a whole copy of that file."
            )

    def take(self, count: int) -> bytes:
        self.demand(count <= len(self.data) - self.place)
        self.place += count
        return self.data[self.place - count : self.place]

    def number(self) -> int:
        control = self.take(1)[0]
        self.demand((control & 0x7F) <= 8)
        value = int.from_bytes(self.take(control & 0x7F), "little")
        return -value if control & 0x80 else value

    def numbers(self, *wanted: int) -> None:
        """Reads whole numbers that must be these."""
        for value in wanted:
            self.demand(self.number() == value)

    def fraction(self) -> float:
        mantissa, exponent = self.number(), self.number()
        self.demand(-64 <= exponent <= 64)
        return math.ldexp(mantissa, exponent)

    def text(self, wanted: str) -> None:
        """Reads a string that must be this one."""
        self.numbers(len(wanted))
        self.demand(self.take(len(wanted)) == wanted.encode())

    def versions(self) -> None:
        """Reads the versions of all places of the net, which stand together before its first layer."""
        self.demand(all(self.number() in (1, 2, 3) for _ in range(STEPS)))

    def tensor(self, *sizes: int) -> np.ndarray:
        """Reads a tensor of these four sizes, flat."""
        self.numbers(2, *sizes)
        return np.frombuffer(self.take(4 * math.prod(sizes)), "<f4")

    def layer(self, name: str, *numbers: int) -> None:
        """Reads a layer without weights of its own, all of it."""
        self.text(name)
        self.numbers(*numbers)
        self.close()

    def close(self) -> None:
        """Reads what every layer ends with: three switches of its training, and three tensors that are empty in a file
        to publish."""
        self.demand(set(self.take(3)) <= set(b"01"))
        for _ in range(3):
            self.tensor(0, 0, 0, 0)

    def rates(self) -> None:
        """Reads the factors of learning rate and weight decay, of weights and of biases."""
        for _ in range(4):
            self.fraction()

    def convolution(self, name: str, conv: nn.Conv2d) -> dict[str, Tensor]:
        """Reads a convolution and the affine layer behind it as the one convolution that they are."""
        outs, ins, side, stride, border = *conv.weight.shape[:3], conv.stride[0], int(conv.padding[0])
        self.text("con_4")
        weight, bias = np.split(self.tensor(outs * (ins * side**2 + 1), 1, 1, 1), [outs * ins * side**2])
        self.numbers(outs, side, side, stride, stride, border, border)
        self.numbers(1, outs, ins, side, side, 1, 1, outs, 1, 1)  # where in the tensor weights and biases lie
        self.rates()
        self.close()
        if name == "stem":
            self.numbers(1)  # how many pictures the layer next to the input makes of one
        self.text("affine_")
        scale, shift = np.split(self.tensor(2 * outs, 1, 1, 1), 2)
        self.numbers(1, 1, outs, 1, 1, 1, 1, outs, 1, 1, 0)  # the same, and that it follows a convolution
        self.close()
        kernel = weight.reshape(outs, ins, side, side) * scale[:, None, None, None]
        return {f"{name}.weight": torch.from_numpy(kernel), f"{name}.bias": torch.from_numpy(bias * scale + shift)}

    def linear(self, fc: nn.Linear) -> Tensor:
        """Reads the last layer, which has no bias, to (outs, ins)."""
        outs, ins = fc.weight.shape
        self.text("fc_2")
        self.numbers(outs, ins)
        weight = self.tensor(ins, outs, 1, 1).reshape(ins, outs)
        self.numbers(1, ins, outs, 1, 1, 1, 0, 0, 0, 0, 1)  # where weights and biases lie, and that there are none
        self.rates()
        self.close()
        return torch.from_numpy(weight.T.copy())

    def end(self) -> None:
        """Nothing may follow."""
        self.demand(self.place == len(self.data))
