"""Where the five points of a face stand in an aligned crop: the field's FFHQ template."""

import numpy as np

FFHQ_512 = np.array(
    [(192.98, 239.95), (318.90, 240.19), (256.63, 314.02), (201.26, 371.41), (313.09, 371.15)],
    dtype=np.float64,
)
"""Left eye, right eye, nose, left mouth corner, right mouth corner (left and right as seen), x and y in a crop of
512 px, (5, 2) float64."""


def template(size: float) -> np.ndarray:
    """The five points in a crop of ``size`` x ``size`` pixels, (5, 2) float64: FFHQ_512 * size / 512."""
    return FFHQ_512 * (size / 512)
