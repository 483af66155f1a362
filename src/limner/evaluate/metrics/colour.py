"""How far the colours of a restored face have shifted."""

from __future__ import annotations

import numpy as np

from limner.evaluate.metrics.pictures import check_pictures
from limner.extras import needed


def colour_shift(restored: np.ndarray, truth: np.ndarray) -> float:
    """Mean colour difference Delta E 2000 (CIEDE2000, Sharma et al. 2005) over all pixels.

    0 upwards, lower is better; about 1 can just be seen on a flat surface. Variant: sRGB to CIELAB under D65 and the 2
    degree observer, kL = kC = kH = 1, by scikit-image. Grain and lost detail count too, as each pixel counts.

    Raises:
        LimnerError: see `check_pictures`; or scikit-image is missing.
    """
    check_pictures(restored, truth)
    with needed("scikit-image", "Colour shift"):
        from skimage.color import deltaE_ciede2000, rgb2lab
    return float(np.mean(deltaE_ciede2000(rgb2lab(truth), rgb2lab(restored))))
