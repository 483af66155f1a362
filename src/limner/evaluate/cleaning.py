"""What the cleaner gives photographs that hold no face: four windows of scikit-image's pictures, mildly spoilt.

    python -m limner.evaluate.cleaning [--weights FOLDER]

The damage is that of a peer's measurement (waifu2x, photo, noise 3: 31.31 to 32.03 dB, SSIM .892 to .913, on windows of
the same pictures): a blur of 0.8 px, noise of 6 grey levels, JPEG 50.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from limner.errors import LimnerError
from limner.evaluate.damages import compressed, noisy
from limner.evaluate.metrics.fidelity import psnr, ssim
from limner.extras import needed
from limner.pixels import to_picture, to_tensor
from limner.weights.load import load_net

SIDE = 192
PICTURES = ("coffee", "chelsea", "astronaut", "rocket")


def windows() -> list[np.ndarray]:
    """The middle (192, 192, 3) uint8 of each picture.

    Raises:
        LimnerError: if scikit-image is missing.
    """
    with needed("scikit-image", "This measurement"):
        from skimage import data
    middles = []
    for name in PICTURES:
        picture = getattr(data, name)()
        top, left = ((length - SIDE) // 2 for length in picture.shape[:2])
        middles.append(np.ascontiguousarray(picture[top : top + SIDE, left : left + SIDE]))
    return middles


def mildly_spoilt(rgb: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A picture, (H, W, 3) uint8, blurred by 0.8 px, with noise of 6 grey levels, through a JPEG of quality 50."""
    return compressed(noisy(cv2.GaussianBlur(rgb, (0, 0), 0.8), 6, generator), 50)


def measure(net: nn.Module) -> dict[str, tuple[float, float]]:
    """PSNR in dB and SSIM of the spoilt windows and of what the cleaner makes of them, means over the four."""
    rows: dict[str, list[tuple[float, float]]] = {"spoilt": [], "clean": []}
    for number, truth in enumerate(windows()):
        spoilt = mildly_spoilt(truth, np.random.default_rng(number))
        with torch.no_grad():
            cleaned = to_picture(net(to_tensor(spoilt)[None])[0])
        for name, picture in (("spoilt", spoilt), ("clean", cleaned)):
            rows[name].append((psnr(picture, truth), ssim(picture, truth)))
    return {
        name: (float(np.mean([p for p, _ in row])), float(np.mean([s for _, s in row]))) for name, row in rows.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, help="folder of a cleaner; the embedded one by default")
    arguments = parser.parse_args()
    net = load_net(arguments.weights or "mini/clean")
    for name, (decibels, similarity) in measure(net).items():
        print(f"{name}: {decibels:.2f} dB, SSIM {similarity:.3f}")


if __name__ == "__main__":
    try:
        main()
    except LimnerError as error:
        sys.exit(f"limner: {error}")
