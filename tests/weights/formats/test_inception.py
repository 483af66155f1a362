"""FID's Inception-v3, and what has its names but isn't it."""

from pathlib import Path

import pytest
import torch

from limner.errors import WeightsError
from limner.nets.inception import Inception
from limner.weights.checkpoint import Checkpoint
from limner.weights.formats import inception
from limner.weights.formats.registry import format_of

FILE = Path("published.pth")
NAME = "Mixed_7c.branch3x3dbl_3a.conv.weight"


def published() -> dict[str, torch.Tensor]:
    """Without the numbers."""
    with torch.device("meta"):
        return dict(Inception().state_dict()) | {"fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}


def test_the_published_names_are_all_known():
    checkpoint = Checkpoint(FILE, published())
    assert format_of(checkpoint).name == "inception"
    assert isinstance(inception.load(checkpoint), Inception) and checkpoint.note() == ""


def test_counts_of_batches_may_lack():
    tensors = {name: tensor for name, tensor in published().items() if not name.endswith("num_batches_tracked")}
    assert not inception.load(Checkpoint(FILE, tensors)).training


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda tensors: tensors.pop(NAME), rf"don't fit Inception: {NAME} is missing\."),
        (lambda tensors: tensors.pop("fc.bias"), r"fc.bias is missing\."),
        (lambda tensors: tensors.update({"Mixed_8a.x": torch.zeros(1)}), r"Mixed_8a.x is not expected\."),
        (lambda tensors: tensors.update({NAME: torch.zeros(3)}), r"\(3 instead of 384x384x1x3\) is of another shape\."),
        (
            lambda tensors: tensors.update({"fc.weight": torch.zeros(1000, 2048)}),
            r"torchvision's Inception-v3, whose",
        ),
        (lambda tensors: tensors.update({"AuxLogits.fc.bias": torch.zeros(1)}), r"take pt_inception-2015-12-05\."),
    ],
)
def test_another_variant_is_refused(spoil, message: str):
    tensors = published()
    spoil(tensors)
    with pytest.raises(WeightsError, match=message):
        inception.load(Checkpoint(FILE, tensors))
