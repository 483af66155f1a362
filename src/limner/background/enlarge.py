"""A photo several times as large, sharper than an interpolation would have it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import torch

from limner.device import Compute
from limner.nets.clean import BLOCK
from limner.nets.enlarge import TIMES, Enlarger
from limner.nets.tiles import in_tiles
from limner.photo.changed import changed
from limner.photo.photo import Photo
from limner.pixels import to_tensor
from limner.weights.load import load_net

TILE, OVERLAP = 768, 112
"""Of the photo that goes through the net at once, in pixels: farther than it sees, tiles overlap."""
RETURNS = 2
"""How often what the photo has is brought back; twice leaves next to nothing out."""
PASSES = 2
"""At most; what is left of the factor is interpolated. A third would cost sixteen times the first."""


def load_enlarger(compute: Compute) -> Enlarger:
    """The embedded enlarger, placed."""
    return compute.place(load_net("mini/enlarge", Enlarger)).eval()


def enlarged(
    photo: Photo, factor: int, enlarger: Callable[[], Enlarger], clean: bool = False
) -> tuple[Photo, np.ndarray]:
    """Enlarges a photo by a whole factor: doubled by the net as often as that fits, at most twice, the rest with a
    Lanczos kernel, with which its transparency is enlarged as well.

    Args:
        photo: to be enlarged; of a factor of 1 it is returned itself.
        factor: 1 or more.
        enlarger: gives the net, which is asked for only where it is needed.
        clean: whether noise and blocks that the net takes off may go; else made small again it is the photo.

    Returns:
        The enlarged photo, and the 3x3 float64 matrix from its pixels to those of the original.
    """
    if factor == 1:
        return photo, np.eye(3)
    target = [factor * side for side in photo.pixels.shape[1::-1]]
    large, net = photo, enlarger()
    for _ in range(min(int(np.log2(factor)), PASSES)):
        large = replace(large, pixels=doubled(large, net, clean), alpha=None)
    pixels = large.pixels
    if list(pixels.shape[1::-1]) != target:
        pixels = cv2.resize(pixels, target, interpolation=cv2.INTER_LANCZOS4)
    alpha = None if photo.alpha is None else cv2.resize(photo.alpha, target, interpolation=cv2.INTER_LANCZOS4)
    shift = 0.5 / factor - 0.5  # pixel centres
    back = np.array([[1 / factor, 0, shift], [0, 1 / factor, shift], [0, 0, 1]])
    return replace(photo, pixels=pixels, alpha=alpha), back


@torch.no_grad()
def doubled(photo: Photo, net: Enlarger, clean: bool) -> np.ndarray:
    """The pixels of a photo twice as high and wide, of its dtype and in its colour space; a strip after the other,
    since floats take memory. For `clean` see `enlarged`."""
    rgb = photo.srgb()
    height, width = rgb.shape[:2]
    grey = photo.grey or bool((rgb == rgb[..., :1]).all())
    pixels = np.empty((TIMES * height, TIMES * width, 3), photo.pixels.dtype)
    step = height if height <= TILE else TILE - 2 * OVERLAP
    for top in range(0, height, step):
        first, bottom = max(top - OVERLAP, 0), min(top + step, height)
        inner = slice(TIMES * (top - first), TIMES * (bottom - first))
        seen = rgb[first : bottom + OVERLAP]
        strip = to_tensor(seen)[None].to(net.device)
        large = in_tiles(net, strip, tile=TILE, overlap=OVERLAP, factor=TIMES, step=BLOCK).clamp(0, 1)
        sharp = large[0].permute(1, 2, 0).float().cpu().numpy()
        if not clean:
            sharp = kept(sharp, seen / np.float32(255))
        sharp = sharp[inner]
        if grey:  # the net's colours are nearly, not wholly, without colour
            sharp = np.repeat(sharp.mean(axis=2, keepdims=True), 3, axis=2)
        native, shown = (
            interpolated(part)[inner]
            for part in (photo.pixels[first : bottom + OVERLAP] / np.float32(photo.peak), seen / np.float32(255))
        )
        made = changed(photo, native, shown, sharp)
        pixels[TIMES * top : TIMES * bottom] = np.rint(made * photo.peak)
    return pixels


def kept(sharp: np.ndarray, photo: np.ndarray) -> np.ndarray:
    """An enlarged picture, (2h, 2w, 3) float32, with all that the photo, (h, w, 3), has and the net took off: grain,
    the weave of cloth. What is finer than its pixels stays the net's (back-projection, Irani and Peleg 1991)."""
    for _ in range(RETURNS):
        small = cv2.resize(sharp, photo.shape[1::-1], interpolation=cv2.INTER_AREA)
        sharp = sharp + cv2.resize(photo - small, sharp.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return np.clip(sharp, 0, 1)


def interpolated(part: np.ndarray) -> np.ndarray:
    """(h, w, 3) float32 twice as large, cubic, in [0, 1]."""
    size = (TIMES * part.shape[1], TIMES * part.shape[0])
    return np.clip(cv2.resize(part, size, interpolation=cv2.INTER_CUBIC), 0, 1)
