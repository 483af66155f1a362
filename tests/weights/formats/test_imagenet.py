"""torchvision's backbones: each is told by its own names, and not one name or shape is taken on trust."""

from pathlib import Path

import pytest
import torch

from limner.errors import WeightsError
from limner.nets.alexnet import AlexNet
from limner.nets.squeezenet import SqueezeNet
from limner.nets.vgg16 import VGG16
from limner.weights.checkpoint import Checkpoint
from limner.weights.formats import imagenet
from limner.weights.formats.registry import format_of

FILE = Path("published.pth")
NAME = "features.10.weight"


def published(kind: type[torch.nn.Module]) -> dict[str, torch.Tensor]:
    """Without the numbers, but with a classifier."""
    with torch.device("meta"):
        return dict(kind().state_dict()) | {"classifier.1.weight": torch.zeros(1000, 2)}


@pytest.mark.parametrize("kind", [AlexNet, SqueezeNet, VGG16])
def test_each_is_told_apart(kind):
    checkpoint = Checkpoint(FILE, published(kind))
    assert format_of(checkpoint).name == "imagenet"
    net = imagenet.load(checkpoint)
    assert type(net) is kind and not net.training
    assert checkpoint.note() == "", "the classifier is known"


def test_numbers_arrive():
    net = AlexNet()
    other = imagenet.load(Checkpoint(FILE, dict(net.state_dict())))
    assert torch.equal(other.get_parameter(NAME), net.get_parameter(NAME))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda tensors: tensors.pop(NAME), rf"{NAME} is missing\."),
        (
            lambda tensors: tensors.update({"features.12.bias": torch.ones(1)}),
            r"features.12.bias is not expected\.",
        ),
        (lambda tensors: tensors.update({NAME: torch.zeros(256, 256, 1)}), r"\(256x256x1 instead of 256x256x3x3\)"),
    ],
)
def test_a_wrong_name_or_shape_is_told(spoil, message: str):
    tensors = published(AlexNet)
    spoil(tensors)
    with pytest.raises(WeightsError, match=rf"published.pth don't fit AlexNet: .*{message}"):
        imagenet.load(Checkpoint(FILE, tensors))


def test_other_nets_are_refused():
    with pytest.raises(WeightsError, match=r"are neither AlexNet's, SqueezeNet 1.1's nor VGG-16's"):
        imagenet.load(Checkpoint(FILE, {"conv1.weight": torch.zeros(1)}))
    with torch.device("meta"):
        net = VGG16()
    with pytest.raises(WeightsError, match=r"don't fit VGG16"):
        imagenet.load_as(Checkpoint(FILE, published(AlexNet)), net)
