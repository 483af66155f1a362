"""What the cleaner and the enlarger give photographs that hold no face: four windows of scikit-image's pictures,
mildly spoilt, and mildly spoilt at half their size. `benchmarks/background.py` measures beside them what others use.

    python -m limner.evaluate.cleaning [--clean FOLDER] [--enlarge FOLDER]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
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

Spoil = Callable[[np.ndarray, np.random.Generator], np.ndarray]
Way = Callable[[np.ndarray], np.ndarray]

SIDE = 192
PICTURES = ("coffee", "chelsea", "astronaut", "rocket")
BLUR, NOISE = 0.8, 6


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
    return compressed(noisy(cv2.GaussianBlur(rgb, (0, 0), BLUR), NOISE, generator), 50)


def halved(rgb: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A picture, (H, W, 3) uint8, blurred by 0.8 px and made half as large by areas, with noise of 6 grey levels,
    through a JPEG of quality 60."""
    return compressed(noisy(small(cv2.GaussianBlur(rgb, (0, 0), BLUR)), NOISE, generator), 60)


def small(rgb: np.ndarray, generator: np.random.Generator | None = None) -> np.ndarray:
    """A picture, (H, W, 3) uint8, half as large by areas; nothing is drawn."""
    height, width = rgb.shape[:2]
    return cv2.resize(rgb, (width // 2, height // 2), interpolation=cv2.INTER_AREA)


TASKS: Mapping[str, tuple[Spoil, int]] = {"mild": (mildly_spoilt, 1), "half": (halved, 2), "small": (small, 2)}
"""How a window is spoilt, and how many times larger what comes out of it shall be."""


def measure(ways: Mapping[str, Way], task: str) -> dict[str, tuple[float, float]]:
    """PSNR in dB and SSIM of what each way makes of the spoilt windows, means over the four.

    Args:
        ways: from a spoilt window, (h, w, 3) uint8, to (192, 192, 3) uint8, by name.
        task: of `TASKS`.
    """
    spoil, _ = TASKS[task]
    pairs = [(truth, spoil(truth, np.random.default_rng(number))) for number, truth in enumerate(windows())]
    told = {}
    for name, way in ways.items():
        made = [(way(spoilt), truth) for truth, spoilt in pairs]
        told[name] = (
            float(np.mean([psnr(*pair) for pair in made])),
            float(np.mean([ssim(*pair) for pair in made])),
        )
    return told


def bigger(rgb: np.ndarray) -> np.ndarray:
    """A picture, (H, W, 3) uint8, twice as large by cubic interpolation."""
    return cv2.resize(rgb, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)


def through(net: nn.Module) -> Way:
    """What a net makes of a picture, as a way."""

    def way(rgb: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return to_picture(net(to_tensor(rgb)[None])[0])

    return way


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clean", type=Path, help="folder of a cleaner; the embedded one by default")
    parser.add_argument("--enlarge", type=Path, help="folder of an enlarger; the embedded one by default")
    arguments = parser.parse_args()
    clean = through(load_net(arguments.clean or "mini/clean"))
    enlarge = through(load_net(arguments.enlarge or "mini/enlarge"))
    ways: dict[str, dict[str, Way]] = {
        "mild": {"spoilt": lambda rgb: rgb, "clean": clean},
        "half": {"interpolated": bigger, "enlarge": enlarge, "clean, interpolated": lambda rgb: bigger(clean(rgb))},
    }
    for task, some in ways.items():
        for name, (decibels, similarity) in measure(some, task).items():
            print(f"{task}: {name}: {decibels:.2f} dB, SSIM {similarity:.3f}")


if __name__ == "__main__":
    try:
        main()
    except LimnerError as error:
        sys.exit(f"limner: {error}")
