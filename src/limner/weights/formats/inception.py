"""FID's Inception-v3, the file pt_inception-2015-12-05: TensorFlow's net under the names of its port to PyTorch."""

from __future__ import annotations

from pathlib import Path

import torch

from limner.errors import WeightsError
from limner.nets.inception import FEATURES, Inception
from limner.weights.checkpoint import Checkpoint, opened
from limner.weights.tensors import Tensors, demand, fill

CLASSES = {"fc.weight": (1008, FEATURES), "fc.bias": (1008,)}
"""What the file holds beyond the features. torchvision's net, which has the same names, has 1,000 classes."""
COUNT = "num_batches_tracked"


def detect(tensors: Tensors) -> bool:
    """Whether these are an Inception-v3's."""
    return {"Conv2d_1a_3x3.conv.weight", "Mixed_7c.branch_pool.bn.weight"} <= tensors.keys()


def load(source: Path | Checkpoint) -> Inception:
    """The net up to its third pooling.

    Raises:
        WeightsError: the file can't be read; a tensor is missing, not expected or of another shape; or it is
            torchvision's Inception-v3, whose features are not those of FID.
    """
    checkpoint = opened(source)
    tensors, path = checkpoint.all(), checkpoint.path
    classes = tensors.get("fc.weight")
    if any(name.startswith("AuxLogits.") for name in tensors) or (classes is not None and len(classes) == 1000):
        raise WeightsError(
            f"The weights {path} are torchvision's Inception-v3, whose features are not those of FID: take "
            "pt_inception-2015-12-05."
        )
    with torch.device("meta"):
        net = Inception()
    own = {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}
    counts = {name: torch.zeros(()) for name in own if name.endswith(COUNT)}  # older files have none
    held = counts | dict(tensors)
    demand(held, own | CLASSES, path, "Inception")
    return fill(net, {name: held[name] for name in own}, path)
