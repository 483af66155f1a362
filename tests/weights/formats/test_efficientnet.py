"""EfficientNet-Lite0 of the package: its normalisations are folded in, and it knows what it sees."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from skimage.data import chelsea

from limner.errors import WeightsError
from limner.pixels import to_tensor
from limner.weights.checkpoint import Checkpoint, read_tensors
from limner.weights.formats import efficientnet
from limner.weights.formats.registry import format_of

CATS = {281, 282, 285}
"""Tabby, tiger cat and Egyptian cat among ImageNet's classes."""


def test_it_knows_a_cat():
    net = efficientnet.load(efficientnet.installed())
    picture = cv2.resize(np.ascontiguousarray(chelsea()[:, 70:370]), (224, 224), interpolation=cv2.INTER_AREA)
    with torch.no_grad():
        logits = net(to_tensor(picture)[None])
        pooled = net.pooled(to_tensor(picture)[None])
    assert int(logits.argmax()) in CATS
    assert torch.allclose(net.classes(pooled), logits)


def test_a_wrong_name_or_shape_is_told():
    tensors = dict(read_tensors(efficientnet.installed()))
    assert format_of(Checkpoint(Path("a.pth"), tensors)).name == "efficientnet"
    tensors["_blocks.3._bn1.bias"] = torch.zeros(3)
    tensors["_extra.bias"] = tensors.pop("_fc.bias")
    with pytest.raises(
        WeightsError,
        match=r"fit EfficientNet-Lite0: _fc.bias is missing; _extra.bias is not expected; _blocks.3._bn1.bias \(3",
    ):
        efficientnet.load(Checkpoint(Path("a.pth"), tensors))
