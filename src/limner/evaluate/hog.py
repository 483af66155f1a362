"""The mean descriptor of `limner.faces.hog`, a second opinion on identity that no training has seen.

    python -m limner.evaluate.hog --data FACES

writes it anew.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from limner.data.faces import FaceSet
from limner.faces.hog import MEAN, describe

DECODED = 256


def mean_descriptor(faces: FaceSet) -> np.ndarray:
    """The mean over the faces and their mirror images, (4356,) float32."""
    total = np.zeros(0)
    for index in range(len(faces)):
        picture = faces.image(index, DECODED).astype(np.float32) / 255
        for side in (picture, picture[:, ::-1]):
            described = describe(torch.from_numpy(np.ascontiguousarray(side.transpose(2, 0, 1)))).astype(np.float64)
            total = described if not total.size else total + described
    return (total / (2 * len(faces))).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m limner.evaluate.hog", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of aligned faces with its two tables")
    np.save(MEAN, mean_descriptor(FaceSet.open(parser.parse_args().data, "train")).astype(np.float16))


if __name__ == "__main__":
    main()
