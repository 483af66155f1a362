"""Measures what is to be put right in the spectrum of a prior's faces (`limner.methods.spectrum`): the last step of its
training.

    python -m limner.train.spectrum --data FACES -o FOLDER [--prior FOLDER] [--count 200]

Faces of `train` are damaged moderately, so that what photograph and estimate show is near the truth, and restored by
DifFace; the ratio of their power spectra, the truth's over the restoration's, says what is lacking or too much. It is
measured with the lattice taken off, and the mean is one of decibels, since a few noisy photographs would outdo all
others. What there is too much of is taken off; of what is lacking half is added: all of it brings faces nearer to
photographs as a set, but farther from the truth.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import torch
from torch import Tensor

from limner.data.faces import FaceSet
from limner.data.pairs import named_generator
from limner.evaluate.damages import damaged
from limner.methods.spectrum import FAINT, STEP, frequencies
from limner.nets.unet import UNet
from limner.pixels import to_tensor
from limner.restorer import Restorer, Settings
from limner.train.loop import save_weights
from limner.weights.load import load_net

DAMAGE = "ffhq-ref-moderate"
KNOTS = 24
"""Gains, of frequencies from 0 to beyond the corner's, 0.707 cycles per pixel."""
KEPT = 2
"""The lowest frequencies, which stay as they are: colour, light and the face's large forms are the estimate's."""
ADDED = 0.5
"""Share of what is lacking that is added."""


def restorations(faces: FaceSet, prior: UNet) -> tuple[list[Tensor], list[Tensor]]:
    """Faces and what DifFace with this prior makes of their damaged copies with no gains but 1, (3, S, S) in [0, 1]
    each."""
    restorer = Restorer(Settings())
    prior.register_to_config(spectrum=[1.0] * KNOTS)
    restorer.method.pipeline.register_modules(unet=restorer.compute.place(deepcopy(prior)))
    truths = [faces.image(place, restorer.size) for place in range(len(faces))]
    named = zip(truths, faces.files, strict=True)
    crops = [damaged(truth, DAMAGE, named_generator(name, DAMAGE))[0] for truth, name in named]
    made = [torch.from_numpy(one.samples[0]).permute(2, 0, 1) for one in restorer.restore_crops(crops)]
    return [to_tensor(one) for one in truths], made


def power_by_frequency(picture: Tensor) -> Tensor:
    """Mean power around each of the gains' frequencies, (KNOTS,) float64; of (3, S, S) in [0, 1]."""
    side = picture.shape[-1]
    window = torch.hann_window(side, dtype=torch.float64)
    place = (frequencies(side, side) / STEP).double()
    near = (1 - (place[None] - torch.arange(KNOTS)[:, None, None]).abs()).clamp(min=0)
    level = picture.double() - picture.double().mean(dim=(1, 2), keepdim=True)
    power = torch.fft.fft2(level * window[:, None] * window).abs().square().sum(dim=0) + FAINT * side**2
    return (near * power).sum(dim=(1, 2)) / near.sum(dim=(1, 2)).clamp(min=1e-9)


def gains(truths: Sequence[Tensor], made: Sequence[Tensor]) -> list[float]:
    """What the frequencies of restorations are multiplied with, so that half of what they lack beside the truths is
    added and what they have too much of taken off."""
    ratios = [power_by_frequency(a) / power_by_frequency(b) for a, b in zip(truths, made, strict=True)]
    amplitude = (torch.stack(ratios).log().mean(dim=0) / 2).exp()
    found = torch.where(amplitude > 1, amplitude**ADDED, amplitude)
    found[:KEPT] = 1
    return [round(float(one), 3) for one in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of aligned faces")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for the prior with its gains")
    parser.add_argument("--prior", type=Path, help="folder of a prior; the embedded one by default")
    parser.add_argument("--count", type=int, default=200, help="faces that are looked at")
    given = parser.parse_args()
    prior = load_net(given.prior or "mini/difface-prior", UNet)
    found = gains(*restorations(FaceSet.open(given.data, "train").spread(given.count), prior))
    prior.register_to_config(spectrum=found)
    save_weights(prior, given.output, "fp16")
    print(*found)


if __name__ == "__main__":
    main()
