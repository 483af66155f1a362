"""Recognisers that others published with ArcFace's IR-ResNet, read by path into `IdentityNet`.

Two forms are common: PyTorch's tensors under insightface's names, which are `IdentityNet`'s own; and ONNX graphs, in
which tensors have numbers for names and a batch normalisation after a convolution is mostly folded into it. A graph
is followed from its input to its output and must be an IR-ResNet in every node.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from limner.errors import WeightsError
from limner.extras import needed
from limner.nets.identity import MAP, IdentityNet
from limner.weights.checkpoint import Checkpoint, opened
from limner.weights.net_config import build
from limner.weights.tensors import Tensors, fill

if TYPE_CHECKING:
    import onnx

EPSILON = 1e-5
"""Of torch's batch normalisation."""


def detect(tensors: Tensors) -> bool:
    """Whether these are an IR-ResNet's under insightface's names."""
    return {"layer1.0.bn3.weight", "layer1.0.prelu.weight", "fc.weight"} <= tensors.keys()


def load(source: Path | Checkpoint) -> IdentityNet:
    """An IR-ResNet from a file of the user's, in float32 on the CPU, in evaluation mode.

    Args:
        source: `.onnx`, or PyTorch's or safetensors' under insightface's names (`conv1.weight`,
            `layer1.0.bn1.weight`).

    Raises:
        WeightsError: the file can't be read or isn't an IR-ResNet.
        LimnerError: the package `onnx` is missing.
    """
    if isinstance(source, Path) and source.suffix.lower() == ".onnx":
        return build_arcface(read_onnx(source), source)
    checkpoint = opened(source)
    return build_arcface(checkpoint.all(), checkpoint.path)


def build_arcface(tensors: Tensors, path: Path) -> IdentityNet:
    """An `IdentityNet` from tensors under insightface's names; `path` is for the error."""
    config = arcface_config(tensors, path)
    net = build(lambda: IdentityNet(**config), tensors, path)
    counts = {name: torch.zeros(()) for name in net.state_dict() if name.endswith("num_batches_tracked")}
    return fill(net, counts | dict(tensors), path)


def arcface_config(tensors: Tensors, path: Path) -> dict[str, Any]:
    """The arguments of `IdentityNet`, from names and shapes."""
    blocks: dict[int, int] = {}
    for name in tensors:
        if found := re.match(r"layer(\d{1,6})\.(\d{1,6})\.conv2\.weight$", name):
            stage, block = int(found[1]), int(found[2])
            blocks[stage] = max(blocks.get(stage, 0), block + 1)
    if not blocks or sorted(blocks) != list(range(1, len(blocks) + 1)):
        raise WeightsError(f"The weights {path} hold no ArcFace IR-ResNet: its layers (layer1.0.conv2.weight) lack.")
    wanted = ["conv1.weight", "fc.weight", *(f"layer{stage}.0.conv2.weight" for stage in blocks)]
    if any(name not in tensors or tensors[name].ndim < 2 for name in wanted):
        raise WeightsError(f"The weights {path} hold no whole ArcFace IR-ResNet: one of {', '.join(wanted)} lacks.")
    return {
        "sample_size": MAP * 2 ** len(blocks),
        "layers": tuple(blocks[stage] for stage in sorted(blocks)),
        "widths": tuple(tensors[f"layer{stage}.0.conv2.weight"].shape[0] for stage in sorted(blocks)),
        "stem_width": tensors["conv1.weight"].shape[0],
        "embedding": tensors["fc.weight"].shape[0],
    }


def read_onnx(path: Path) -> dict[str, Tensor]:
    """The tensors of an ONNX graph under insightface's names.

    A convolution's folded normalisation becomes one that only adds.

    Raises:
        WeightsError: the file can't be read, or a node isn't what an IR-ResNet has in its place.
        LimnerError: the package `onnx` is missing.
    """
    with needed("onnx", f"Reading {path}"):
        import onnx
    try:
        model = onnx.load(str(path), load_external_data=False)
    except OSError as error:
        raise WeightsError(f"Can't read the weights {path}: {error.strerror or error}.") from error
    except Exception as error:  # protobuf reports a damaged file by classes of its own
        raise WeightsError(f"The weights {path} are damaged or no ONNX graph: fetch or copy the file again.") from error
    try:
        return _Graph(model.graph, path).tensors()
    except (LookupError, ValueError, TypeError, RuntimeError) as error:  # of nodes and tensors that ONNX doesn't allow
        raise WeightsError(f"The graph {path} is no ArcFace IR-ResNet: it is damaged ({error}).") from error


class _Graph:
    """Follows a graph node by node and collects what it meets in `found`."""

    def __init__(self, graph: onnx.GraphProto, path: Path):
        self.graph, self.path = graph, path
        self.initial = {tensor.name: tensor for tensor in graph.initializer}
        self.consumers: dict[str, list[onnx.NodeProto]] = {}
        for node in graph.node:
            for name in dict.fromkeys(node.input):
                self.consumers.setdefault(name, []).append(node)
        # torch exports what two layers share, such as a vector of ones, as a constant or once with an Identity.
        self.alias = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Identity"}
        self.constants = {
            node.output[0]: attribute.t
            for node in graph.node
            if node.op_type == "Constant"
            for attribute in node.attribute
            if attribute.name == "value"
        }
        self.found: dict[str, Tensor] = {}
        self.passed: set[str] = set()

    def tensors(self) -> dict[str, Tensor]:
        inputs = [value.name for value in self.graph.input if value.name not in self.initial]
        if len(inputs) != 1:
            raise self._misfit(f"it has {len(inputs)} inputs instead of 1")
        at = self._convolution(inputs[0], "conv1", "bn1", 1)
        at = self._prelu(at, "prelu")
        stage, block = 0, 0
        while len(self._next(at)) > 1:
            shortens = "Conv" in {node.op_type for node in self._next(at)}
            stage, block = (stage + 1, 0) if shortens else (stage, block + 1)
            if stage == 0:
                raise self._misfit("its first block doesn't halve the resolution")
            at = self._block(at, f"layer{stage}.{block}", 2 if shortens else 1)
        at = self._normalisation(at, "bn2")
        at = self._the(at, ("Flatten", "Reshape")).output[0]
        at = self._normalisation(self._linear(at), "features")
        if self._next(at) or at not in [value.name for value in self.graph.output]:
            raise self._misfit("its output isn't the last normalisation")
        return self.found

    def _block(self, at: str, name: str, stride: int) -> str:
        h = self._normalisation(at, f"{name}.bn1")
        h = self._convolution(h, f"{name}.conv1", f"{name}.bn2", 1)
        h = self._prelu(h, f"{name}.prelu")
        h = self._convolution(h, f"{name}.conv2", f"{name}.bn3", stride)
        other = at
        if stride > 1:
            other = self._convolution(at, f"{name}.downsample.0", f"{name}.downsample.1", stride)
        total = self._the(h, ("Add",))
        if sorted(total.input) != sorted((h, other)):
            raise self._misfit(f"the sum of {name} ({total.name or total.output[0]}) adds something else")
        return total.output[0]

    def _convolution(self, at: str, name: str, norm: str, stride: int) -> str:
        """A convolution and the normalisation that follows it or was folded into it."""
        node = self._the(at, ("Conv",))
        weight = self._parameter(node, 1)
        side = 1 if ".downsample" in name else 3
        values = _attributes(node)
        expected = {"strides": [stride] * 2, "pads": [side // 2] * 4, "dilations": [1, 1], "group": 1}
        assumed = {"strides": [1, 1], "pads": [0] * 4, "dilations": [1, 1], "group": 1}
        if weight.shape[2:] != (side, side) or any(values.get(k, assumed[k]) != v for k, v in expected.items()):
            raise self._misfit(f"the convolution {node.name or node.output[0]} isn't {name}, {side}x{side}/{stride}")
        self.found[f"{name}.weight"] = weight
        end = node.output[0]
        bias = self._parameter(node, 2) if len(node.input) > 2 else torch.zeros(len(weight))
        follows = self._next(end)
        if [n.op_type for n in follows] == ["BatchNormalization"]:
            end = self._normalisation(end, norm)
            self.found[f"{norm}.running_mean"] = self.found[f"{norm}.running_mean"] - bias
        else:
            ones = torch.ones(len(weight))
            self._norm(norm, ones, bias, torch.zeros(len(weight)), ones, 0.0)
        return end

    def _normalisation(self, at: str, name: str) -> str:
        node = self._the(at, ("BatchNormalization",))
        weight, bias, mean, variance = (self._parameter(node, k) for k in range(1, 5))
        self._norm(name, weight, bias, mean, variance, _attributes(node).get("epsilon", 1e-5))
        return node.output[0]

    def _norm(self, name: str, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, epsilon: float) -> None:
        self.found[f"{name}.weight"], self.found[f"{name}.bias"] = weight, bias
        self.found[f"{name}.running_mean"] = mean
        self.found[f"{name}.running_var"] = variance + (epsilon - EPSILON)

    def _prelu(self, at: str, name: str) -> str:
        node = self._the(at, ("PRelu",))
        self.found[f"{name}.weight"] = self._parameter(node, 1).flatten()
        return node.output[0]

    def _linear(self, at: str) -> str:
        node = self._the(at, ("Gemm",))
        values = _attributes(node)
        weight = self._parameter(node, 1)
        self.found["fc.weight"] = (weight if values.get("transB") else weight.T) * values.get("alpha", 1.0)
        bias = self._parameter(node, 2) if len(node.input) > 2 else torch.zeros(len(self.found["fc.weight"]))
        self.found["fc.bias"] = bias * values.get("beta", 1.0)
        return node.output[0]

    def _next(self, at: str) -> list[onnx.NodeProto]:
        """Who takes this tensor; older exports also ask for its shape, before they flatten it."""
        return [node for node in self.consumers.get(at, []) if node.op_type != "Shape"]

    def _the(self, at: str, kinds: Iterable[str]) -> onnx.NodeProto:
        """The one node of these kinds that takes the tensor `at` first."""
        follows = self._next(at)
        while len(follows) == 1 and follows[0].op_type in ("Identity", "Dropout"):
            at = self._pass(follows[0])
            follows = self._next(at)
        fitting = [node for node in follows if node.op_type in kinds]
        if len(fitting) != 1:
            there = ", ".join(node.op_type for node in follows) or "nothing"
            raise self._misfit(f"behind {at!r} comes {there} instead of one {' or '.join(kinds)}")
        self._pass(fitting[0])
        return fitting[0]

    def _pass(self, node: onnx.NodeProto) -> str:
        """The name of what a node gives, which the way through the graph may pass but once."""
        (given, *_) = node.output
        if given in self.passed:
            raise self._misfit(f"it comes back to {given!r}")
        self.passed.add(given)
        return given

    def _parameter(self, node: onnx.NodeProto, place: int) -> Tensor:
        from onnx import TensorProto, numpy_helper

        name = node.input[place] if place < len(node.input) else ""
        for _ in self.alias:  # no further than through all of them: they may go round in a circle
            name = self.alias.get(name, name)
        tensor = self.initial.get(name, self.constants.get(name))
        if tensor is None:
            raise self._misfit(f"the {node.op_type} {node.name or node.output[0]} lacks a stored tensor {name!r}")
        if tensor.data_location == TensorProto.EXTERNAL:
            raise self._misfit("its tensors lie in another file: save it as one file")
        return torch.from_numpy(numpy_helper.to_array(tensor).copy()).float()

    def _misfit(self, why: str) -> WeightsError:
        return WeightsError(f"The graph {self.path} is no ArcFace IR-ResNet: {why}.")


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    from onnx import helper

    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
