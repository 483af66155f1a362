"""The nets whose view of a picture is measured: recognisers, which tell identity, and nets of features, over which sets
of pictures are compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from limner.errors import WeightsError
from limner.evaluate.dlib_identity import dlib_recogniser
from limner.evaluate.identity import Recogniser, vectors
from limner.evaluate.metrics.pictures import check_pictures
from limner.faces.hog import HogIdentity
from limner.nets.efficientnet import EfficientNetLite0
from limner.nets.inception import FEATURES, SIDE
from limner.pixels import to_tensor
from limner.weights.formats import dlib, efficientnet, inception
from limner.weights.load import load_identity

RECOGNISED_AT = 256
"""Largest side in pixels at which recognisers are shown faces; they look at less than that."""


@dataclass(frozen=True)
class Extractor:
    """A net that turns pictures into vectors.

    Attributes:
        name: as metrics call it.
        kind: a `recogniser`, whose vectors have unit length, or one of `features`.
        width: length of a vector.
        of: pictures (H, W, 3) uint8, of one size, to vectors (N, width).
        variant: which weights, and how pictures are shown to it.
        licence: of the weights.
    """

    name: str
    kind: Literal["recogniser", "features"]
    width: int
    of: Callable[[Sequence[np.ndarray]], np.ndarray]
    variant: str
    licence: str


def standard_extractors() -> list[Extractor]:
    """The embedded recogniser, HOG, and what is installed of the extra `measure`; the report says which metrics are
    missing, and why."""
    found = [
        recogniser("identity", load_identity("mini"), "mini/identity, at 256 px at most", "Apache-2.0"),
        recogniser(
            "hog", HogIdentity(), "histograms of gradients, trained on nothing, at 256 px at most", "none needed"
        ),
    ]
    with suppress(WeightsError):
        net = dlib_recogniser()
        found.append(recogniser("dlib", net, f"{dlib.FILE}, less its mean, at 256 px at most", "CC0-1.0"))
    with suppress(WeightsError):
        found.append(efficientnet_lite0())
    return found


def recogniser(name: str, net: Recogniser, variant: str, licence: str) -> Extractor:
    """A recogniser as extractor.

    Args:
        name, variant, licence: see `Extractor`.
        net: crops (B, 3, H, W) in [0, 1] to unit vectors.
    """

    def of(pictures: Sequence[np.ndarray]) -> np.ndarray:
        check_pictures(*pictures)
        return vectors(net, [shrunk(picture) for picture in pictures])

    width = of([np.full((RECOGNISED_AT, RECOGNISED_AT, 3), 128, np.uint8)]).shape[1]
    return Extractor(name, "recogniser", width, of, variant, licence)


def efficientnet_lite0() -> Extractor:
    """EfficientNet-Lite0's 1,280 features before the classes, averaged over the picture at its own size.

    Raises:
        WeightsError: if its package isn't installed.
    """
    net: EfficientNetLite0 = efficientnet.load(efficientnet.installed())

    @torch.inference_mode()
    def of(pictures: Sequence[np.ndarray]) -> np.ndarray:
        check_pictures(*pictures)
        return net.pooled(torch.stack([to_tensor(picture) for picture in pictures])).numpy()

    return Extractor(
        "efficientnet-lite0",
        "features",
        1280,
        of,
        "EfficientNet-Lite0 (ImageNet), 1,280 features, pictures at their own size",
        "Apache-2.0",
    )


def inception_v3(path: Path, variant: str, licence: str) -> Extractor:
    """The features of FID (Heusel et al. 2017): the 2,048 numbers of Inception-v3's third pooling. Pictures are brought
    to 299 px bilinearly without smoothing, as the published figures were computed.

    Args:
        path: the file pt_inception-2015-12-05.
        variant, licence: see `Extractor`.

    Raises:
        WeightsError: it can't be read or is another net.
    """
    net = inception.load(path)

    @torch.inference_mode()
    def of(pictures: Sequence[np.ndarray]) -> np.ndarray:
        check_pictures(*pictures)
        sized = [F.interpolate(to_tensor(one)[None], (SIDE, SIDE), mode="bilinear") for one in pictures]
        return net(torch.cat(sized)).numpy()

    return Extractor("inception", "features", FEATURES, of, variant, licence)


def shrunk(picture: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8, its longer side at most `RECOGNISED_AT`."""
    factor = RECOGNISED_AT / max(picture.shape[:2])
    if factor >= 1:
        return picture
    width, height = (max(round(side * factor), 1) for side in picture.shape[1::-1])
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
