"""Recipe: the fusion, which joins a restoration with its photograph so that neither loses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from limner.data.faces import FaceSet
from limner.data.restorations import Restorations, Restored
from limner.evaluate.metrics.fidelity import psnr
from limner.nets.fusion import Fusion, evened
from limner.nets.pyramid import reduce
from limner.pixels import to_picture, to_tensor
from limner.train.losses.adversary import AdversarialLoss
from limner.train.losses.contrast import contrasts
from limner.train.losses.projected import Projected, projected
from limner.train.recipe import Batch, MiniTraining, Preset, Recipe
from limner.train.recipes.clean import error
from limner.train.recipes.fusion_baselines import TwoNumbers, by_agreement
from limner.train.starting import begin
from limner.train.validation import Validation, device_of, mean
from limner.weights.load import load_net

WINDOW = 256
POOL = 1_024
"""Restorations; a multiple of two workers' batches, so that each worker makes its own half once."""
FULLNESS = 0.2
"""Weight of the contrast in the finest octaves. The least error alone would fade whatever is made up."""
OCTAVES = 4
SLIGHT = 10.0
"""What is added to the photograph's own error, by which all others are measured, in grey levels of a picture with
common contrast. Photographs with less of it keep what they know: nobody asks how their windows look."""
PERCEPTUAL, ADVERSARIAL = 1.0, 1.2
"""Weights of what a net that has seen the world sees."""
HARM = 5.0
"""Weight of an error above the photograph's own, beside the error itself. With 1 the looks of spoilt photographs also
moved those that were hardly spoilt: of six validation faces with a blur of 1 px one lost 3.7 dB."""
SQUARE = 8
"""Side in pixels of a quarter-size picture's squares, in each of which harm counts too. By the whole window alone a
print's weave, once gone, paid for an eye that was drawn anew."""
TRAINING = MiniTraining(steps=4_700, batch=8, lr=3e-4, final_lr=1e-5, warmup=100)


def fusion(data: Path, preset: Preset = "mini", seed: int = 0, start: str | Path | None = None) -> Recipe[Fusion]:
    """The fusion's recipe; it uses the embedded cleaner and methods.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini` or `paper`, which are the same here.
        seed: of initialisation, data order and damage.
        start: a fusion to go on from, a name of the catalogue or a folder; None begins anew.
    """
    torch.manual_seed(seed)
    cleaner, faces = load_net("mini/clean"), FaceSet.open(data, "train")
    fixed = Restorations(FaceSet.open(data, "val"), cleaner, 128, WINDOW, seed + 1)
    return Recipe(
        name="fusion",
        model=begin(Fusion, start, Fusion),
        data=Restorations(faces, cleaner, POOL, WINDOW, seed),
        loss=FusionLoss(projected(faces, WINDOW, perceptual=PERCEPTUAL, weight=ADVERSARIAL)),
        training=TRAINING,
        validation=Validation(
            cases=lambda: {"": [fixed.make(place) for place in range(fixed.count)]},
            attempt=joined,
            figures=gains_of_all_ways,
            row=shrunk,
            shown=16,
        ),
        seed=seed,
    )


@dataclass
class FusionLoss(AdversarialLoss):
    """`distance`; and where the photograph knows little, also what a net that has seen the world sees. Both of pictures
    as the fusion sees them (`limner.nets.fusion.evened`): by errors in grey levels a faded print stayed blurred.

    Attributes:
        adversary: the terms of that net.
        step: that comes next.
    """

    adversary: Projected
    step: int = 0

    def __call__(self, model: Fusion, batch: Batch, generator: torch.Generator) -> Tensor:
        delta, _ = model(batch["photo"], batch["clean"], batch["restored"])
        middle, gain = evened(batch["clean"])
        joined, photo, truth = (
            middle + gain * (x - middle) for x in (batch["clean"] + delta.float(), batch["photo"], batch["image"])
        )
        loss = distance(joined, photo, truth)
        spoilt = (error(photo, truth) > SLIGHT).nonzero().flatten()
        if self.adversary.judges(spoilt):
            loss = loss + self.adversary(joined[spoilt] * 2 - 1, truth[spoilt] * 2 - 1, self.step, generator)
        self.step += 1
        return loss


def distance(joined: Tensor, photo: Tensor, truth: Tensor) -> Tensor:
    """Each window's root mean squared error, what it has more of than the photograph once more, in the window and in
    the squares of its coarse octaves, and how far the contrast of the finest octaves is from the truth's; all in parts
    of the photograph's own error, as the cleaner's.

    Args:
        joined, photo, truth: (B, 3, H, W), as the fusion sees them: a few of their pixels may lie beyond 0 and 1.
    """
    missed, before = error(joined, truth), error(photo, truth)
    coarse = [coarse_error(one, truth) for one in (joined, photo)]
    harm = (missed - before).clamp(min=0) + (coarse[0] - coarse[1]).clamp(min=0).mean(dim=(1, 2))
    fullness = torch.zeros_like(missed)
    for ours, theirs in zip(contrasts(joined, OCTAVES), contrasts(truth, OCTAVES), strict=True):
        fullness = fullness + 255 * (ours - theirs).abs().mean(dim=(1, 2, 3))
    return ((missed + HARM * harm + FULLNESS * fullness) / (before + SLIGHT)).mean()


def coarse_error(picture: Tensor, truth: Tensor) -> Tensor:
    """Root mean squared error of (B, 3, H, W) at a quarter of its size in each of its squares, in parts of 1/255,
    (B, h, w)."""
    small = reduce(reduce(picture - truth)).square().mean(dim=1)
    return 255 * (F.avg_pool2d(small, SQUARE) + 1e-6).sqrt()


def joined(net: Fusion, one: Restored) -> np.ndarray:
    """A restoration joined with its photograph, (F, F, 3) uint8."""
    photo, clean, restored = (to_tensor(p)[None] for p in (one.photo, one.cleaned, one.grown()))
    device = device_of(net)
    delta, _ = net(photo.to(device), clean.to(device), restored.to(device))
    return to_picture(clean[0] + delta[0].float().cpu())


def gains_of_all_ways(trials: Sequence[tuple[Restored, np.ndarray]]) -> dict[str, float]:
    """PSNR gains over the photograph, in dB, where it is damaged: of the clean photograph, the restoration, the two
    simpler ways to mix them (`fusion_baselines.py`), and the fusion; its worst; and its PSNR where nothing had
    happened."""
    fitted = TwoNumbers.fit([one for one, _ in trials[::2]])  # only the others are judged
    gains: dict[str, list[float]] = {"clean": [], "restored": [], "agreement": [], "two numbers": [], "fusion": []}
    kept = []
    for one, picture in trials[1::2]:
        if psnr(one.photo, one.truth) > 60:
            kept.append(psnr(picture, one.truth))
            continue
        ways = {
            "clean": one.cleaned,
            "restored": one.grown(),
            "agreement": by_agreement(one),
            "two numbers": fitted.mix(one),
            "fusion": picture,
        }
        for name, way in ways.items():
            gains[name].append(psnr(way, one.truth) - psnr(one.photo, one.truth))
    figures = {name: mean(values) for name, values in gains.items()}
    return figures | {"worst": float(np.min(gains["fusion"])), "kept psnr": mean(kept)}


def shrunk(one: Restored, picture: np.ndarray) -> dict[str, np.ndarray]:
    """A row of the sheet: all pictures of a restoration in one size."""
    pictures = {
        "photo": one.photo,
        "clean": one.cleaned,
        "restored": one.grown(),
        "joined": picture,
        "truth": one.truth,
    }
    return {name: cv2.resize(p, (256, 256), interpolation=cv2.INTER_AREA) for name, p in pictures.items()}
