"""Recipe: the enlarger of faces, which draws what a restoration's pixels are too few for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from limner.data.faces import FaceSet
from limner.data.large_restorations import DAMAGE, SHOWN, SIDE, WAYS, LargeRestorations
from limner.data.restorations import Restorations, Restored
from limner.evaluate.metrics.detail import detail_by_band
from limner.evaluate.metrics.fidelity import psnr
from limner.nets.enlarge import interpolated
from limner.nets.enlarge_face import SIZE, FaceEnlarger
from limner.nets.estimator import Estimator
from limner.pixels import to_picture, to_tensor
from limner.train.losses.adversary import AdversarialLoss
from limner.train.losses.contrast import contrasts
from limner.train.losses.projected import Projected, projected
from limner.train.recipe import Batch, MiniTraining, Preset, Recipe
from limner.train.starting import begin
from limner.train.validation import Validation, device_of, mean
from limner.weights.load import load_net

LENDER = "mini/difface-estimator"
WINDOW = 96
"""Of a restoration, which is shown, in pixels."""
POOL = 800
PIXELS, SLIGHT = 0.2, 0.005
"""Weight of the error in parts of the interpolated restoration's, and what is added to that; see `prior_sharp.py`."""
PERCEPTUAL, ADVERSARIAL = 1.0, 1.0
FULLNESS, OCTAVES = 1.0, 2
"""Weight of the contrast in the finest octaves."""
TRAINING = MiniTraining(steps=5_000, batch=6, lr=1e-3, final_lr=2e-5, warmup=100, betas=(0.5, 0.99))


@dataclass
class FineLoss(AdversarialLoss):
    """The error in parts of the interpolated restoration's, the contrast that is lacking or too much, and the two terms
    of the features.

    Attributes:
        adversary: the latter.
        step: that comes next.
    """

    adversary: Projected
    step: int = 0

    def __call__(self, model: FaceEnlarger, batch: Batch, generator: torch.Generator) -> Tensor:
        restored, truth = batch["restored"], batch["image"]
        made = model(restored, batch["photo"]).float()
        wrong, given = ((one - truth).abs().mean(dim=(1, 2, 3)) for one in (made, interpolated(restored)))
        loss = (PIXELS * wrong / (given + SLIGHT)).mean()
        for ours, theirs in zip(contrasts(made, OCTAVES), contrasts(truth, OCTAVES), strict=True):
            loss = loss + FULLNESS * (ours - theirs).abs().mean() / theirs.mean()
        loss = loss + self.adversary(made * 2 - 1, truth * 2 - 1, self.step, generator)
        self.step += 1
        return loss


def enlarge_face(
    data: Path, preset: Preset = "mini", seed: int = 0, start: str | Path | None = None
) -> Recipe[FaceEnlarger]:
    """The recipe of the enlarger of faces; it uses the embedded cleaner and methods.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini` or `paper`, which are the same here.
        seed: of initialisation, data order and damage.
        start: one to go on from, a name of the catalogue or a folder; None begins anew.

    Raises:
        WeightsError: if the package with the features isn't installed.
    """
    torch.manual_seed(seed)
    cleaner = load_net("mini/clean")
    faces, others = (FaceSet.open(data, split).large(SIDE) for split in ("train", "val"))
    fixed = Restorations(others, cleaner, 24, SIZE, seed + 1, SHOWN, DAMAGE, WAYS)
    return Recipe(
        name="enlarge-face",
        model=learning(start),
        data=LargeRestorations(Restorations(faces, cleaner, POOL, SIZE, seed, SHOWN, DAMAGE, WAYS), WINDOW),
        loss=FineLoss(projected(faces, 2 * SIZE, PERCEPTUAL, ADVERSARIAL)),
        training=TRAINING,
        validation=Validation(
            cases=lambda: {"": [fixed.make(place) for place in range(fixed.count)]},
            attempt=enlarged,
            figures=beside_cubic,
            row=middle,
            shown=8,
        ),
        seed=seed,
    )


def learning(start: str | Path | None) -> FaceEnlarger:
    """The net, its own layers free to learn."""
    net = begin(lambda: FaceEnlarger.of(load_net(LENDER, Estimator), {"estimator": LENDER}), start, FaceEnlarger)
    net.estimator.requires_grad_(False)
    return net


def enlarged(net: FaceEnlarger, one: Restored) -> np.ndarray:
    """A restoration as large as its photograph's frame, (F, F, 3) uint8."""
    device = device_of(net)
    return to_picture(net(*(to_tensor(picture)[None].to(device) for picture in (one.restored, one.cleaned)))[0])


def beside_cubic(trials: Sequence[tuple[Restored, np.ndarray]]) -> dict[str, float]:
    """Mean PSNR of the restorations, interpolated and enlarged, and how full their two finest octaves are."""
    figures = {}
    for name, pictures in {"cubic": [one.grown() for one, _ in trials], "net": [made for _, made in trials]}.items():
        pairs = [(picture, one.truth) for picture, (one, _) in zip(pictures, trials, strict=True)]
        figures[f"{name} psnr"] = mean(psnr(*pair) for pair in pairs)
        bands = np.median([detail_by_band(*pair)[:2] for pair in pairs], axis=0)
        figures |= {f"{name} octave {number}": float(band) for number, band in enumerate(bands, 1)}
    return figures


def middle(one: Restored, made: np.ndarray) -> dict[str, np.ndarray]:
    """A row of the sheet: the middle of each picture."""
    inner = slice(len(made) // 4, 3 * len(made) // 4)
    pictures = {"photo": one.photo, "cubic": one.grown(), "enlarged": made, "truth": one.truth}
    return {name: cv2.resize(picture[inner, inner], (SIZE, SIZE)) for name, picture in pictures.items()}
