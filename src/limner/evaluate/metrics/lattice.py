"""A lattice that a net lays over a face: more power at periods of 4 and 8 px than beside them.

Decoders that make a block of pixels from one place of a small map leave the same pattern in every block. JPEG's blocks,
whose patterns differ, are none.
"""

from __future__ import annotations

import numpy as np

from limner.evaluate.metrics.pictures import check_pictures, fine_luma

LINES = {4: (1 / 4,), 8: (1 / 8, 3 / 8)}
"""Frequencies in cycles per px that a lattice of so many px adds: its odd harmonics. The even ones are those of half
the period, so that a lattice of 8 px may show at 4 px too, but not the other way round."""
NEAR, FAR = 3, 6
"""Neighbours of a line are so many frequencies away; nearer ones are lit by the line itself."""
LEAST = 64
"""px of a side below which the neighbours of one line are another's."""


def lattice(picture: np.ndarray) -> tuple[float, float]:
    """Power of the luma's spectrum at the 4-px and the 8-px lines over that at neighbouring frequencies.

    For every frequency along the line the power is divided by the mean of its neighbours across the line, and the mean
    is taken over the line, over lines along both axes. 0 upwards: about 1.25 without a lattice, more with one. A Hann
    window and, at the right and the bottom, the crop to a multiple of 8 px keep the border out. Rounding to whole grey
    levels counts on both sides, so that a flat picture has 1.

    Raises:
        LimnerError: see `check_pictures`; or a side has less than 64 px.
    """
    check_pictures(picture, least=LEAST)
    height, width = (side // 8 * 8 for side in picture.shape[:2])
    image = fine_luma(picture)[:height, :width].astype(np.float64)
    window = np.hanning(height + 1)[:-1, None] * np.hanning(width + 1)[:-1]
    rounding = (window**2).sum() / 12
    power = np.abs(np.fft.fft2((image - image.mean()) * window)) ** 2 + rounding
    # the axes themselves hold every straight edge of the picture
    across, down = power[NEAR : height - NEAR + 1], power[:, NEAR : width - NEAR + 1].T
    four, eight = (np.mean([_along(across, period), _along(down, period)]) for period in LINES)
    return float(four), float(eight)


def lattice_ratio(restored: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """The `lattice` of the restored face over the truth's, of 4 px and of 8 px.

    0 upwards: 1 is best, above it there is a pattern that the truth hasn't, below it one is gone. One face of 256 px
    tells it to about a tenth; the mean over faces tells more.

    Raises:
        LimnerError: see `check_pictures`; or a side has less than 64 px.
    """
    check_pictures(restored, truth, least=LEAST)
    four, eight = np.divide(lattice(restored), lattice(truth))
    return float(four), float(eight)


def _along(power: np.ndarray, period: int) -> float:
    """How far a period's lines, columns of the power (rows, frequencies), stand out from their neighbours."""
    count = power.shape[1]
    apart = np.arange(NEAR, FAR + 1)
    stands = []
    for frequency in LINES[period]:
        at = round(frequency * count)
        neighbours = power[:, np.concatenate([at - apart, at + apart])].mean(axis=1)
        stands.append(np.mean(power[:, at] / neighbours))
    return float(np.mean(stands))
