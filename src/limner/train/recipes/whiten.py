"""Spreads a recogniser's vectors over all directions alike, which what it was trained for does not do by itself.

Of faces that a net was not trained on, most of the variance lies in a few directions: what told the training
photographs apart at a glance. A whitening of the vectors, with a ridge that keeps noise small, makes the finer ones
count. It is a linear map, so it goes into the last layer and costs nothing.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from limner.nets.identity import IdentityNet

RIDGE = 0.01
"""Added to the variances, in units of the largest: chosen on the validation people among 0.3 to 0.0003."""


@torch.no_grad()
def whitened(net: IdentityNet, crops: Tensor, ridge: float = RIDGE) -> IdentityNet:
    """A float32 copy of a recogniser whose vectors of these crops have mean 0 and hardly a preferred direction.

    Args:
        net: on the CPU.
        crops: faces (N, 3, H, W), uint8 or floats in [0, 1]; N several times the length of a vector.
        ridge: share of the largest variance that is added to all.
    """
    net = copy.deepcopy(net).float().eval()
    vectors = torch.cat([net.embed(net.prepare(_unit(some))) for some in crops.split(64)]).double()
    mean = vectors.mean(0)
    variances, directions = torch.linalg.eigh((vectors - mean).T @ (vectors - mean) / len(vectors))
    turn = directions / (variances.clamp(min=0) + ridge * variances.max()).sqrt()

    # (W x + b - mu) / s + beta, less the mean, turned: all of it becomes the linear layer.
    norm = net.features
    assert norm.running_mean is not None and norm.running_var is not None
    scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    weight = turn.T @ (scale[:, None] * net.fc.weight.double())
    bias = turn.T @ (scale * (net.fc.bias.double() - norm.running_mean.double()) + norm.bias.double() - mean)
    net.fc.weight.copy_(weight)
    net.fc.bias.copy_(bias)
    norm.reset_parameters()
    norm.running_var.fill_(1 - norm.eps)
    return net


def _unit(crops: Tensor) -> Tensor:
    return crops.float() / 255 if crops.dtype == torch.uint8 else crops
