"""Batches of aligned crops: their size, and the noise of each and its seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from limner.errors import LimnerError
from limner.pixels import to_tensor


def stacked(crops: Sequence[np.ndarray]) -> Tensor:
    """Aligned crops as one batch.

    Args:
        crops: (S, S, 3) uint8 each, at least one.

    Returns:
        (B, 3, S, S) float32 in [0, 1].

    Raises:
        LimnerError: if they are of another kind, or not all of one size.
    """
    side = len(crops[0])
    for one in crops:
        if one.shape != (side, side, 3) or one.dtype != np.uint8:
            raise LimnerError(
                f"Aligned crops are (S, S, 3) in uint8 and all of one size, not {one.shape} in {one.dtype}: scale "
                "floats to 255 and round them, and resize the crops alike."
            )
    return torch.stack([to_tensor(one) for one in crops])


def fit_to(crops: Tensor, size: int) -> Tensor:
    """Resizes pictures to a square, bicubic with antialias.

    Args:
        crops: (B, 3, H, W).
        size: S in pixels; pictures of that size pass untouched.

    Returns:
        (B, 3, S, S).
    """
    if crops.shape[-2:] == (size, size):
        return crops
    return F.interpolate(crops, (size, size), mode="bicubic", antialias=True, align_corners=False)


def restored_size(images: Tensor, height: int, width: int) -> Tensor:
    """The way back from `fit_to`.

    Args:
        images: (B, 3, S, S) in [0, 1].
        height, width: of the result in pixels; pictures of that size pass untouched.

    Returns:
        (B, 3, height, width), clipped to [0, 1] where it was resized.
    """
    if images.shape[-2:] == (height, width):
        return images
    return F.interpolate(images, (height, width), mode="bicubic", antialias=True, align_corners=False).clamp(0, 1)


def seed_of(seed: int, face: int, sample: int) -> int:
    """The seed of one face's noise, a whole number below 2^63 that differs for each face and sample.

    Args:
        seed: of the run, 0 or more.
        face: its place among all faces of the photo.
        sample: its number, from 0.
    """
    return int(np.random.SeedSequence((seed, face, sample)).generate_state(1, np.uint64)[0] >> 1)


def per_face(generator: torch.Generator | Sequence[torch.Generator] | None, count: int) -> list[torch.Generator]:
    """One CPU generator for each result, so that a result doesn't depend on what else shares its batch.

    Args:
        generator: one for each result; a single one, from which theirs are seeded (used as it is for one result);
            or None for seed 0.
        count: how many are needed.

    Raises:
        LimnerError: if a list of another length is given.
    """
    if isinstance(generator, Sequence):
        if len(generator) != count:
            raise LimnerError(f"{count} results need {count} generators, not {len(generator)}.")
        return list(generator)
    source = generator or torch.Generator().manual_seed(0)
    if count == 1:
        return [source]
    seeds = torch.randint(0, 2**62, (count,), generator=source)
    return [torch.Generator().manual_seed(int(seed)) for seed in seeds]


def noise_like(shape: Sequence[int], generators: Sequence[torch.Generator], device: torch.device) -> Tensor:
    """Draws standard normal noise, each result's from its own generator.

    Args:
        shape: of one result.
        generators: on the CPU, one for each result.
        device: where the noise goes.

    Returns:
        (len(generators), *shape) float32.
    """
    return torch.stack([torch.randn(*shape, generator=one) for one in generators]).to(device)
