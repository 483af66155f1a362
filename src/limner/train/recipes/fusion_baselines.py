"""Two simpler ways to mix a restoration with its photograph, which the fusion has to beat; its recipe measures them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from limner.data.restorations import Restored
from limner.evaluate.metrics.fidelity import psnr
from limner.nets.fusion import luma
from limner.nets.pyramid import join, split
from limner.pixels import to_picture, to_tensor


def by_agreement(one: Restored) -> np.ndarray:
    """One share for all octaves, from how well restoration and photograph agree: all of it up to 26 dB, none from 34
    on; (F, F, 3) uint8."""
    share = float(np.clip((34 - psnr(one.grown(), one.photo)) / 8, 0, 1))
    return np.rint(one.photo + share * (one.grown().astype(np.float32) - one.photo)).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class TwoNumbers:
    """A share for each octave that is linear in two numbers of the photograph, its noise and its blur.

    Attributes:
        weights: (octaves, 3), of 1 and of the two numbers.
    """

    weights: np.ndarray

    @classmethod
    def fit(cls, restorations: Sequence[Restored]) -> TwoNumbers:
        """The weights of the least squared error to the truths."""
        systems: list[tuple[np.ndarray, np.ndarray]] = []
        for one in restorations:
            (photo, _), (restored, _), (truth, _) = (split(_tensor(p)) for p in (one.photo, one.grown(), one.truth))
            numbers = two_numbers(one.photo)
            for octave, (y, x, t) in enumerate(zip(photo, restored, truth, strict=True)):
                if len(systems) <= octave:
                    systems.append((1e-6 * np.eye(3), np.zeros(3)))
                left, right = systems[octave]
                weight = 4**octave  # a coarse band's pixel is many of the picture
                left += weight * float((x - y).square().sum()) * np.outer(numbers, numbers)
                right += weight * float(((x - y) * (t - y)).sum()) * numbers
        return cls(np.stack([np.linalg.solve(left, right) for left, right in systems]))

    def mix(self, one: Restored) -> np.ndarray:
        """Photograph and restoration, mixed; (F, F, 3) uint8."""
        (photo, rest), (restored, _) = split(_tensor(one.photo)), split(_tensor(one.grown()))
        shares = np.clip(self.weights @ two_numbers(one.photo), 0, 1)
        mixed = [y + float(share) * (x - y) for y, x, share in zip(photo, restored, shares, strict=True)]
        return to_picture(join(mixed, rest)[0])


def two_numbers(photo: np.ndarray) -> np.ndarray:
    """1, the noise and the blur of (F, F, 3) uint8: the deviation of the finest octave in flat places, in tenths of
    white, and how much less the second octave holds than the fourth, as a power of ten."""
    bands, _ = split(luma(_tensor(photo)), 4)
    noise = float(bands[0].abs().median()) / 0.6745
    blur = float((bands[3].square().mean() / bands[1].square().mean().clamp(min=1e-9)).log10())
    return np.array([1.0, 10 * noise, blur])


def _tensor(picture: np.ndarray) -> Tensor:
    return to_tensor(picture)[None]
