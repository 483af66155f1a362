"""Recognisers of others: insightface's names, and ONNX graphs with and without folded normalisations."""

import sys
import warnings

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from safetensors.torch import save_file
from torch import nn

from limner.errors import LimnerError, WeightsError
from limner.nets.identity import IdentityNet
from limner.weights import load_identity
from limner.weights.load import identity_licence

TINY = {"sample_size": 112, "layers": (1, 2, 1, 1), "widths": (4, 6, 6, 8), "stem_width": 4, "embedding": 16}


@pytest.fixture(scope="module")
def net() -> IdentityNet:
    """A tiny IR-ResNet, all of whose tensors are random."""
    generator = torch.Generator().manual_seed(0)
    net = IdentityNet(**TINY).eval().requires_grad_(False)
    for name, tensor in net.state_dict().items():
        if tensor.is_floating_point():
            low = 0.5 if "running_var" in name else -1
            tensor.copy_(torch.rand(tensor.shape, generator=generator) * (1.5 if low > 0 else 2) + low)
            if name.endswith("conv1.weight") or name.endswith("conv2.weight"):
                tensor /= tensor[0].numel() ** 0.5
    return net


class Graph:
    """Writes an `IdentityNet` as an ONNX graph, as torch's exporter does: `folded`, or with every normalisation."""

    def __init__(self, net: IdentityNet, folded: bool, epsilon: float = 1e-5):
        self.net, self.folded, self.epsilon = net, folded, epsilon
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: dict[str, np.ndarray] = {}
        self.count = 100

    def model(self) -> onnx.ModelProto:
        at = self.conv("input.1", self.net.conv1, self.net.bn1)
        at = self.prelu(at, self.net.prelu)
        for stage in range(1, 1 + len(TINY["layers"])):
            for block in self.net.get_submodule(f"layer{stage}"):
                h = self.norm(at, block.bn1)
                h = self.prelu(self.conv(h, block.conv1, block.bn2), block.prelu)
                h = self.conv(h, block.conv2, block.bn3)
                at = self.node("Add", [h, self.conv(at, *block.downsample) if block.downsample else at])
        at = self.node("Flatten", [self.norm(at, self.net.bn2)], axis=1)
        at = self.node("Gemm", [at, *map(self.store, (self.net.fc.weight, self.net.fc.bias))], transB=1)
        at = self.norm(at, self.net.features)
        graph = helper.make_graph(
            self.nodes,
            "main",
            [helper.make_tensor_value_info("input.1", TensorProto.FLOAT, ["None", 3, 112, 112])],
            [helper.make_tensor_value_info(at, TensorProto.FLOAT, ["None", TINY["embedding"]])],
            [numpy_helper.from_array(tensor, name) for name, tensor in self.tensors.items()],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)

    def node(self, kind: str, inputs: list[str], **attributes) -> str:
        self.count += 1
        self.nodes.append(helper.make_node(kind, inputs, [str(self.count)], f"{kind}_{self.count}", **attributes))
        return str(self.count)

    def store(self, tensor: torch.Tensor) -> str:
        self.count += 1
        self.tensors[str(self.count)] = tensor.detach().numpy().astype(np.float32)
        return str(self.count)

    def conv(self, at: str, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> str:
        side, stride = conv.kernel_size[0], conv.stride[0]
        attributes = {
            "kernel_shape": [side] * 2,
            "strides": [stride] * 2,
            "pads": [side // 2] * 4,
            "dilations": [1, 1],
            "group": 1,
        }
        if not self.folded:
            return self.norm(self.node("Conv", [at, self.store(conv.weight)], **attributes), norm)
        factor = norm.weight / (norm.running_var + norm.eps).sqrt()
        weight, bias = conv.weight * factor[:, None, None, None], norm.bias - norm.running_mean * factor
        return self.node("Conv", [at, self.store(weight), self.store(bias)], **attributes)

    def norm(self, at: str, norm: nn.modules.batchnorm._BatchNorm) -> str:
        # With another epsilon the stored variance is another one too.
        variance = norm.running_var + norm.eps - self.epsilon
        tensors = map(self.store, (norm.weight, norm.bias, norm.running_mean, variance))
        return self.node("BatchNormalization", [at, *tensors], epsilon=self.epsilon)

    def prelu(self, at: str, prelu: nn.PReLU) -> str:
        return self.node("PRelu", [at, self.store(prelu.weight[:, None, None])])


@pytest.mark.parametrize(("folded", "epsilon"), [(True, 1e-5), (False, 1e-5), (False, 2e-5)])
def test_an_onnx_graph(net, tmp_path, folded, epsilon):
    model = Graph(net, folded, epsilon).model()
    onnx.checker.check_model(model)
    path = tmp_path / "w600k_r50.onnx"
    onnx.save(model, str(path))
    loaded = load_identity(path)
    assert not loaded.training and {key: loaded.config[key] for key in TINY} == TINY
    region = torch.rand(2, 3, 112, 112, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.inference_mode():
        ours = loaded.embed(region)
    torch.testing.assert_close(ours, net.embed(region), rtol=1e-4, atol=1e-4)
    theirs = ReferenceEvaluator(model).run(None, {"input.1": region.numpy()})[0]
    torch.testing.assert_close(ours, torch.from_numpy(np.asarray(theirs)), rtol=1e-3, atol=1e-3)


class _Embed(nn.Module):
    def __init__(self, net: IdentityNet):
        super().__init__()
        self.net = net

    def forward(self, region):
        return self.net.embed(region)


def test_what_torch_exports(net, tmp_path):
    path = tmp_path / "exported.onnx"
    region = torch.rand(1, 3, 112, 112, generator=torch.Generator().manual_seed(2)) * 2 - 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the newer exporter needs another package
        torch.onnx.export(_Embed(net).eval(), (region,), str(path), dynamo=False, input_names=["input.1"])
    loaded = load_identity(str(path))
    with torch.inference_mode():
        torch.testing.assert_close(loaded.embed(region), net.embed(region), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["pth", "safetensors", "without counters"])
def test_insightfaces_names(net, tmp_path, kind):
    tensors = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    if kind == "without counters":
        tensors = {name: tensor for name, tensor in tensors.items() if "num_batches" not in name}
    path = tmp_path / ("backbone.safetensors" if kind == "safetensors" else "backbone.pth")
    save_file(tensors, path) if kind == "safetensors" else torch.save(tensors, path)
    loaded = load_identity(path)
    assert {key: loaded.config[key] for key in TINY} == TINY
    crops = torch.rand(2, 3, 256, 256)
    with torch.inference_mode():
        torch.testing.assert_close(loaded(crops), net(crops))


def test_tensors_that_do_not_fit(net, tmp_path):
    path = tmp_path / "backbone.pth"
    good = dict(net.state_dict())
    torch.save({name: tensor for name, tensor in good.items() if name != "layer2.1.bn1.bias"}, path)
    with pytest.raises(WeightsError, match=r"don't fit IdentityNet: layer2\.1\.bn1\.bias is missing"):
        load_identity(path)
    torch.save(good | {"layer1.0.se.weight": torch.zeros(3)}, path)
    with pytest.raises(WeightsError, match=r"layer1\.0\.se\.weight is not expected"):
        load_identity(path)
    torch.save({"conv.weight": torch.zeros(3)}, path)
    with pytest.raises(WeightsError, match="hold no ArcFace IR-ResNet"):
        load_identity(path)
    torch.save({name: tensor for name, tensor in good.items() if name != "fc.weight"}, path)
    with pytest.raises(WeightsError, match="hold no whole ArcFace IR-ResNet"):
        load_identity(path)


def _spoilt(net, path, change):
    model = Graph(net, True).model()
    change(model.graph)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(WeightsError) as caught:
        load_identity(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_graphs_that_do_not_fit(net, tmp_path):
    path = tmp_path / "other.onnx"

    def rename(kind, new, which=0):
        def change(graph):
            [node for node in graph.node if node.op_type == kind][which].op_type = new

        return change

    assert "comes Relu instead of one PRelu" in _spoilt(net, path, rename("PRelu", "Relu"))
    assert "comes Sub instead of one Conv" in _spoilt(net, path, rename("Conv", "Sub"))
    assert "comes Mul instead of one Add" in _spoilt(net, path, rename("Add", "Mul", 1))
    assert "comes MatMul instead of one Gemm" in _spoilt(net, path, rename("Gemm", "MatMul"))

    def cut(graph):
        del graph.node[-1]

    assert "comes nothing instead of one BatchNormalization" in _spoilt(net, path, cut)

    def lose(graph):
        del graph.initializer[0]

    assert "the Conv Conv_103 lacks a stored tensor '101'" in _spoilt(net, path, lose)

    def stride(graph):
        node = [node for node in graph.node if node.op_type == "Conv"][2]
        next(a for a in node.attribute if a.name == "strides").ints[:] = [1, 1]

    assert "isn't layer1.0.conv2, 3x3/2" in _spoilt(net, path, stride)

    def cross(graph):
        add = next(node for node in graph.node if node.op_type == "Add")
        add.input[1] = graph.node[1].output[0]

    assert "the sum of layer1.0 (Add_" in _spoilt(net, path, cross)

    def shape(graph):
        name = next(node for node in graph.node if node.op_type == "Gemm").input[2]
        tensor = next(t for t in graph.initializer if t.name == name)
        tensor.CopyFrom(numpy_helper.from_array(np.zeros(3, np.float32), name))

    assert "fc.bias (3 instead of 16)" in _spoilt(net, path, shape)

    def outside(graph):
        graph.initializer[0].data_location = TensorProto.EXTERNAL

    assert "lie in another file" in _spoilt(net, path, outside)


def test_no_graph_at_all(tmp_path):
    path = tmp_path / "w600k_r50.onnx"
    path.write_bytes(b"<html>not found</html>")
    with pytest.raises(WeightsError, match=r"w600k_r50\.onnx are damaged or no ONNX graph"):
        load_identity(path)
    path.write_bytes(b"")
    with pytest.raises(WeightsError, match=r"w600k_r50\.onnx is no ArcFace IR-ResNet: it has 0 inputs instead of 1"):
        load_identity(path)


def test_without_the_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    (tmp_path / "a.onnx").write_bytes(b"")
    with pytest.raises(LimnerError, match=r"a\.onnx needs onnx: install it with `pip install 'limner\[onnx\]'`\."):
        load_identity(tmp_path / "a.onnx")


def test_sources(net, tmp_path):
    with pytest.raises(WeightsError, match=r"There is no recogniser 'minni': give mini, a folder"):
        load_identity("minni")
    net.save_pretrained(str(tmp_path / "own"))
    crop = torch.rand(1, 3, 128, 128)
    with torch.inference_mode():
        torch.testing.assert_close(load_identity(tmp_path / "own")(crop), net(crop))
    assert identity_licence(tmp_path / "own").startswith("that of your own file, which limner can't know")
    (tmp_path / "own/README.md").write_text("---\nlicense: mit\n---\n")
    assert identity_licence(tmp_path / "own") == "mit"
    assert identity_licence("mini") == "Apache-2.0"


def test_mini():
    net = load_identity()
    assert not net.training
    with torch.inference_mode():
        vectors = net(torch.rand(2, 3, 256, 256))
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(2))


@pytest.mark.parametrize("aliases", [False, True])
def test_a_graph_that_goes_round_in_a_circle(tmp_path, aliases):
    nodes = [helper.make_node("Conv", ["x", "w"], ["t0"], strides=[1, 1], pads=[1, 1, 1, 1])]
    if aliases:
        nodes += [helper.make_node("PRelu", ["t0", "c"], ["t1"])]
        nodes += [helper.make_node("Identity", [a], [b]) for a, b in (("c", "d"), ("d", "c"))]
    else:
        nodes += [helper.make_node("Identity", [a], [b]) for a, b in (("t0", "t1"), ("t1", "t2"), ("t2", "t1"))]
    weight = helper.make_tensor("w", TensorProto.FLOAT, [4, 3, 3, 3], [1.0] * 108)
    value = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 28, 28])]
    path = tmp_path / "a.onnx"
    onnx.save_model(helper.make_model(helper.make_graph(nodes, "g", value, value, [weight])), str(path))
    with pytest.raises(WeightsError, match=r"comes back to 't\d'|lacks a stored tensor"):
        load_identity(path)


def test_a_stage_of_a_hundred_thousand_blocks(tmp_path):
    tensors = {f"layer{n}.{0 if n < 4 else 100_000}.conv2.weight": torch.ones(4, 4, 3, 3) for n in (1, 2, 3, 4)}
    tensors |= {"layer4.0.conv2.weight": torch.ones(4, 4, 3, 3), "fc.weight": torch.ones(4, 4)}
    save_file(tensors | {"conv1.weight": torch.ones(4, 3, 3, 3)}, tmp_path / "a.safetensors")
    with pytest.raises(WeightsError, match="would have far more than their 7 tensors"):
        load_identity(tmp_path / "a.safetensors")
