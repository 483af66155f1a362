"""A perceptual difference of two pictures: how far apart a frozen net's features of them lie (Zhang et al. 2018).

The published first stages used VGG-16, whose weights limner doesn't ship. Any net will do whose layers have learned
what matters in a face: `estimator_features` takes the embedded regressor of DifFace, and stands in losses;
`autoencoder_features` takes the embedded autoencoder, and measures what such a loss has not seen;
`efficientnet_features` takes a net that has seen the world, and measures what people see.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.evaluate.metrics.last_seen import LastSeen
from limner.evaluate.metrics.pictures import check_pictures
from limner.nets.efficientnet import LEVELS
from limner.nets.vqgan import VQGAN
from limner.pixels import to_tensor
from limner.weights.formats import efficientnet


class FeatureDistance:
    """Mean squared difference of features, each position's channels brought to unit length.

    Args:
        net: takes (B, 3, H, W) in [0, 1]; it is frozen.
        layers: names of the submodules whose outputs, (B, C, h, w), are compared; each counts alike.
    """

    def __init__(self, net: nn.Module, layers: Sequence[str]):
        self.net = net.eval().requires_grad_(False)
        self.layers = tuple(layers)

    def __call__(self, reconstruction: Tensor, truth: Tensor) -> Tensor:
        """Two batches of pictures in [-1, 1] to a scalar; the gradient reaches the first."""
        nn.Module.to(self.net, truth.device)
        with torch.no_grad():
            wanted = self.features(truth)
        return self.between(self.features(reconstruction), wanted)

    @staticmethod
    def between(found: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
        """The distance of what `features` gives of two batches, a scalar."""
        pairs = zip(found, wanted, strict=True)
        return torch.stack([(a - b).square().sum(dim=1).mean() for a, b in pairs]).mean()

    def features(self, pictures: Tensor) -> list[Tensor]:
        """Each layer's output, normalised, in float32."""
        seen: dict[str, Tensor] = {}

        def keep(name: str, module: nn.Module, inputs: object, output: Tensor) -> None:
            seen[name] = F.normalize(output.float(), dim=1)

        hooks = [self.net.get_submodule(name).register_forward_hook(partial(keep, name)) for name in self.layers]
        try:
            self.net(pictures / 2 + 0.5)
        finally:
            for hook in hooks:
                hook.remove()
        return [seen[name] for name in self.layers]


def estimator_features() -> FeatureDistance:
    """Of the embedded regressor: edges and texture, eyes and mouths, the whole face."""
    from limner.weights.load import load_net

    return FeatureDistance(load_net("mini/difface-estimator"), ("down.0", "down.1", "middle"))


@cache
def autoencoder_features() -> FeatureDistance:
    """Of the embedded autoencoder's encoder, at a quarter and an eighth of the picture's side."""
    from limner.weights.load import load_net

    return FeatureDistance(
        _Encoding(load_net("mini/vqgan", VQGAN)), ("vqgan.encoder.levels.0", "vqgan.encoder.levels.1")
    )


@cache
def efficientnet_features() -> FeatureDistance:
    """Of EfficientNet-Lite0, at a half to a thirty-second of the picture's side.

    Raises:
        WeightsError: its package isn't installed.
    """
    return FeatureDistance(efficientnet.load(efficientnet.installed()), [f"blocks.{level}" for level in LEVELS])


def perceptual_distance(restored: np.ndarray, truth: np.ndarray) -> float:
    """How far apart the embedded autoencoder's features of two faces lie, (H, W, 3) uint8 RGB each.

    0 to 4, lower is better; 0 for equal pictures.

    Raises:
        LimnerError: see `check_pictures`; or a side has less than 32 px.
    """
    return _distance(autoencoder_features, restored, truth)


def efficientnet_distance(restored: np.ndarray, truth: np.ndarray) -> float:
    """How far apart EfficientNet-Lite0's features of two faces lie: in the manner of LPIPS (Zhang et al. 2018), with
    another net and without learned weights, so its figures are not to be held against LPIPS.

    0 to 4, lower is better; 0 for equal pictures. Variant: ImageNet weights (Apache-2.0); the outputs of blocks 0, 2,
    4, 10 and 15, each position's channels brought to unit length; squared differences, summed over channels, averaged
    over positions, then over levels. Pictures at their own size.

    Raises:
        LimnerError: see `check_pictures`; a side has less than 32 px; or the package of weights isn't installed.
    """
    return _distance(efficientnet_features, restored, truth)


@torch.no_grad()
def _distance(features: Callable[[], FeatureDistance], restored: np.ndarray, truth: np.ndarray) -> float:
    check_pictures(restored, truth, least=32)
    net = features()
    return float(net.between(net.features(to_tensor(restored)[None] * 2 - 1), _of_truth(features)(truth)))


@cache
def _of_truth(features: Callable[[], FeatureDistance]) -> LastSeen[list[Tensor]]:
    """From a truth to its features; those of the last one are kept."""
    return LastSeen(lambda truth: features().features(to_tensor(truth)[None] * 2 - 1))


class _Encoding(nn.Module):
    """An autoencoder as `FeatureDistance` wants it, which shows pictures in [0, 1]."""

    def __init__(self, vqgan: VQGAN):
        super().__init__()
        self.vqgan = vqgan

    def forward(self, pictures: Tensor) -> Tensor:
        return self.vqgan.encode(pictures * 2 - 1)
