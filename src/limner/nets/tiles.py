"""Runs a convolutional net over a large picture piece by piece."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def in_tiles(
    net: Callable[[Tensor], Tensor],
    x: Tensor,
    *,
    tile: int,
    overlap: int,
    factor: int = 1,
    limit: int | None = None,
    step: int = 1,
) -> Tensor:
    """Applies a net that enlarges by `factor`, in overlapping square tiles that are blended where they meet.

    Args:
        net: (B, C, h, w) to (B, D, h * factor, w * factor).
        x: (B, C, H, W).
        tile: side of a tile.
        overlap: positions that neighbouring tiles share at least; the blend runs linearly over them.
        factor: by which the net enlarges.
        limit: an x with no side larger than this goes through whole; None means `tile`.
        step: tiles begin at multiples of it, for which the last one may be up to step - 1 larger than the others;
            `tile` - `overlap` must be one.

    Returns:
        (B, D, H * factor, W * factor).
    """
    height, width = x.shape[-2:]
    if max(height, width) <= (tile if limit is None else limit):
        return net(x)
    total = weights = None
    for top, bottom in _spans(height, tile, overlap, step):
        for left, right in _spans(width, tile, overlap, step):
            piece = net(x[..., top:bottom, left:right])
            down, across = piece.shape[-2:]
            if total is None or weights is None:
                total = piece.new_zeros(*piece.shape[:2], height * factor, width * factor)
                weights = piece.new_zeros(height * factor, width * factor)
            ramp = _ramp(down, overlap * factor, piece)[:, None] * _ramp(across, overlap * factor, piece)
            rows = slice(top * factor, top * factor + down)
            columns = slice(left * factor, left * factor + across)
            total[..., rows, columns] += piece * ramp
            weights[rows, columns] += ramp
    assert total is not None and weights is not None
    return total / weights


def _spans(length: int, tile: int, overlap: int, step: int) -> list[tuple[int, int]]:
    """First positions of the tiles along one side, and the first behind each; the last tile ends with the side."""
    if length <= tile:
        return [(0, length)]
    last = (length - tile) // step * step
    return [*((start, start + tile) for start in range(0, last, tile - overlap)), (last, length)]


def _ramp(length: int, overlap: int, like: Tensor) -> Tensor:
    """Weights along one side of a tile: rising over the overlap, falling over it at the end, never 0."""
    place = torch.arange(length, device=like.device)
    edge = torch.minimum(place + 1, length - place)
    return (edge / (overlap + 1)).clamp(max=1).to(like.dtype)
