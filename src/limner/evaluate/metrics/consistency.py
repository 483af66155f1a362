"""Whether a restored face could have been what the input was made from."""

from __future__ import annotations

import numpy as np

from limner.degrade.degrade import Degradation, apply_to_truth
from limner.evaluate.metrics.fidelity import psnr
from limner.evaluate.metrics.pictures import check_pictures


def consistency(restored: np.ndarray, degraded: np.ndarray, degradation: Degradation) -> float:
    """PSNR over RGB between the restored face, degraded once more in the same way, and the input.

    In dB, 0 upwards, higher is better, and infinite for the truth. Low values mean that a restoration contradicts what
    the input shows. It is degraded with the very noise that was drawn for the input: standing in both, noise drops out
    of the difference, whereas without it a restoration would gain by keeping the input's noise.

    Args:
        restored: (H, W, 3) uint8, in the tone that the degradation gave.
        degraded: the input of the same size.
        degradation: what turned the truth into it.

    Raises:
        LimnerError: see `check_pictures`.
    """
    check_pictures(restored, degraded)
    return psnr(apply_to_truth(restored, degradation), degraded)
