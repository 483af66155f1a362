"""Fills what is unknown of a picture with what is smoothest there: the start of a net for holes, and the membrane of a
gradient-domain blend."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def smooth_fill(image: Tensor, mask: Tensor, relaxations: int = 0) -> Tensor:
    """Fills holes by the means of what is known around them, of ever larger squares the larger the hole (pull and push,
    Gortler et al. 1996); with relaxations a solution of Laplace's equation, in which each filled pixel is the mean of
    its four neighbours and at a picture's border goes on level.

    Args:
        image: (B, C, H, W); what it holds in the holes plays no part.
        mask: (B, 1, H, W), 1 in holes, 0 elsewhere.
        relaxations: at each size, from coarse to fine, so that large holes cost no more than small ones. With 32 a
            harmonic field is met within 4 % of its range.

    Returns:
        (B, C, H, W); known pixels as they were, and a picture without any is 0.5.
    """
    known = 1 - mask
    height, width = image.shape[-2:]
    if min(height, width) < 2:
        mean = (image * known).sum((2, 3), keepdim=True) + 1e-4 * 0.5
        coarse = (mean / (known.sum((2, 3), keepdim=True) + 1e-4)).expand_as(image)
        return torch.where(mask > 0, coarse, image)
    weight = F.avg_pool2d(known, 2, ceil_mode=True)
    pooled = F.avg_pool2d(image * known, 2, ceil_mode=True) / weight.clamp(min=1e-6)
    coarse = smooth_fill(pooled, (weight == 0).to(mask.dtype), relaxations)
    filled = torch.where(mask > 0, F.interpolate(coarse, (height, width), mode="bilinear"), image)
    for _ in range(relaxations):
        wide = F.pad(filled, (1, 1, 1, 1), mode="replicate")
        around = (wide[..., 1:-1, 2:] + wide[..., 1:-1, :-2] + wide[..., 2:, 1:-1] + wide[..., :-2, 1:-1]) / 4
        filled = torch.where(mask > 0, around, filled)
    return filled
