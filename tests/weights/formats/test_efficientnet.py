"""EfficientNet-Lite0's file: folded exactly, read strictly, and its package is named where it is missing."""

import pytest
import torch
import torch.nn.functional as F

from limner.errors import WeightsError
from limner.nets.efficientnet import EfficientNetLite0
from limner.weights.formats import efficientnet
from limner.weights.formats.registry import format_of
from limner.weights.checkpoint import opened


def random_tensors():
    """A file of the published layout with random values."""
    torch.manual_seed(0)
    net, tensors = EfficientNetLite0(), {}
    for ours, (theirs, norm) in efficientnet.convolutions(net).items():
        weight = net.get_parameter(f"{ours}.weight").detach()
        tensors[f"{theirs}.weight"] = weight.clone()
        for name in efficientnet.STATISTICS:
            tensors[f"{norm}.{name}"] = torch.rand(len(weight)) + 0.5
        tensors[f"{norm}.num_batches_tracked"] = torch.tensor(1)
    return tensors | {"_fc.weight": torch.randn(1000, 1280), "_fc.bias": torch.randn(1000)}


def saved(tensors, tmp_path):
    path = tmp_path / "net.pth"
    torch.save(tensors, path)
    return path


def test_the_folded_stem_is_convolution_and_normalisation(tmp_path):
    tensors = random_tensors()
    net = efficientnet.load(saved(tensors, tmp_path))
    x = torch.rand(1, 3, 16, 16)
    bare = F.conv2d(F.pad(x, (0, 1, 0, 1)), tensors["_conv_stem.weight"], stride=2)
    scale, shift, mean, variance = (tensors[f"_bn0.{name}"] for name in efficientnet.STATISTICS)
    expected = F.batch_norm(bare, mean, variance, scale, shift, eps=1e-3)
    torch.testing.assert_close(net.stem(x), expected, atol=1e-5, rtol=1e-5)


def test_the_file_is_recognised_and_read_strictly(tmp_path):
    tensors = random_tensors()
    assert format_of(opened(saved(tensors, tmp_path))).name == "efficientnet"
    del tensors["_blocks.3._bn1.running_var"]
    with pytest.raises(WeightsError, match=r"_blocks\.3\._bn1\.running_var is missing"):
        efficientnet.load(saved(tensors, tmp_path))


def test_the_package_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setattr(efficientnet, "find_spec", lambda name: None)
    with pytest.raises(WeightsError, match=r"limner\[measure\]"):
        efficientnet.installed()
