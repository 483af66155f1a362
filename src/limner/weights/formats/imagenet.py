"""AlexNet, SqueezeNet 1.1 and VGG-16 under torchvision's names, which LPIPS and DISTS see through.

Their classifiers, where a file has them, are passed over.
"""

from __future__ import annotations

from pathlib import Path

import torch

from limner.errors import WeightsError
from limner.nets.alexnet import AlexNet
from limner.nets.squeezenet import SqueezeNet
from limner.nets.vgg16 import VGG16
from limner.weights.checkpoint import Checkpoint, opened
from limner.weights.tensors import Net, Tensors, fill

Backbone = AlexNet | SqueezeNet | VGG16
CLASSIFIER = "classifier."


def detect(tensors: Tensors) -> bool:
    """Whether these are one of the three's."""
    return _kind(tensors) is not None


def load(source: Path | Checkpoint) -> Backbone:
    """Whichever of the three nets a file holds.

    Raises:
        WeightsError: the file can't be read or is none of theirs; or a tensor is missing, not expected or of another
            shape.
    """
    checkpoint = opened(source)
    kind = _kind(checkpoint.tensors)
    if kind is None:
        raise WeightsError(
            f"The weights {checkpoint.path} are neither AlexNet's, SqueezeNet 1.1's nor VGG-16's under torchvision's "
            "names (features.0.weight): take torchvision's file."
        )
    with torch.device("meta"):
        return _filled(kind(), checkpoint)


def load_as(source: Path | Checkpoint, net: Net) -> Net:
    """One of the three nets, of which another won't do.

    Args:
        source: of the weights.
        net: to fill, best made on the meta device.

    Raises:
        WeightsError: as `load`; or the file holds another net.
    """
    return _filled(net, opened(source))


def _filled(net: Net, checkpoint: Checkpoint) -> Net:
    tensors = checkpoint.all()
    kept = {name: tensor for name, tensor in tensors.items() if not name.startswith(CLASSIFIER)}
    return fill(net, kept, checkpoint.path)


def _kind(tensors: Tensors) -> type[Backbone] | None:
    """Told by the names that only one of them has."""
    if "features.12.expand3x3.weight" in tensors:
        return SqueezeNet
    if "features.28.weight" in tensors and "features.0.weight" in tensors:
        return VGG16
    first = tensors.get("features.0.weight", torch.empty(0))
    return AlexNet if tuple(first.shape) == (64, 3, 11, 11) else None
