"""Recipe: the enlarger, which makes a photograph twice as large, sharper than an interpolation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from limner.data.faces import FaceSet, read_picture
from limner.data.nofaces import FOLDER, photographs_of_nobody
from limner.data.windows import Windows, large_and_small, photographs
from limner.evaluate.metrics.fidelity import psnr
from limner.nets.clean import Cleaner
from limner.nets.enlarge import TIMES, Enlarger, interpolated
from limner.pixels import to_picture, to_tensor
from limner.train.losses.adversary import AdversarialLoss
from limner.train.losses.projected import Projected, projected
from limner.train.recipe import Batch, MiniTraining, Preset, Recipe
from limner.train.recipes.clean import LENDER, error
from limner.train.starting import begin
from limner.train.validation import Pair, Validation, mean, through
from limner.weights.load import load_net

SLIGHT = 4.0
"""Grey levels of error that are added to what an error is measured by, see `limner.train.recipes.clean`."""
OFTEN = 8
"""How often a photograph without a face is shown where a face is shown once: there are a third as many, crisper, and
what is enlarged is mostly no face. With 2 the four windows of `limner.evaluate.cleaning` came out .06 dB worse."""
SIDE = 64
"""Of a small window in pixels."""
FEATURES, ADVERSARY = 0.03, 0.004
"""Weights of the two terms of `Projected`: so mild that they cost next to no PSNR."""
SEEN_FROM, FOOLS_FROM = 15_000, 15_200
"""Steps from which on the features and the adversarial term count: seeing costs as much as enlarging, and before there
is nothing to judge."""
TRAINING = MiniTraining(steps=16_000, batch=16, lr=1e-3, final_lr=1e-5, warmup=200)


@dataclass
class EnlargedLoss(AdversarialLoss):
    """The batch's root mean squared error over that of its interpolated windows, and the two terms of the features.

    Of the batch, not of each window: in a photograph's PSNR the strong edges count for most, and windows that count
    alike have the net spend itself on flat ones. After 11,000 steps by this, the four windows of
    `limner.evaluate.cleaning` came out 0.02 dB better; 24,000 by each window had brought 0.01.

    Attributes:
        adversary: the latter.
        step: that comes next.
    """

    adversary: Projected
    step: int = 0

    def __call__(self, model: Enlarger, batch: Batch, generator: torch.Generator) -> Tensor:
        small, truth = batch["lq"], batch["image"]
        made = model(small).float()
        missed, before = (error(one, truth).square().mean().sqrt() for one in (made, interpolated(small)))
        loss = missed / (before + SLIGHT)
        if self.step >= SEEN_FROM:
            loss = loss + self.adversary(made * 2 - 1, truth * 2 - 1, self.step, generator)
        self.step += 1
        return loss


def enlarge(data: Path, preset: Preset = "mini", seed: int = 0, start: str | Path | None = None) -> Recipe[Enlarger]:
    """The enlarger's recipe.

    Args:
        data: folder of aligned faces with its tables; a folder `nofaces` beside it is used where there is one.
        preset: `mini` or `paper`, which are the same here.
        seed: of initialisation, data order and damage.
        start: an enlarger to go on from, a name of the catalogue or a folder; None begins anew.
    """
    torch.manual_seed(seed)
    others, faces = data.parent / FOLDER, FaceSet.open(data, "train")
    nobody = photographs_of_nobody(others, measured=False) if others.is_dir() else []
    files = photographs(faces, None) + nobody * OFTEN
    validation = photographs(FaceSet.open(data, "val"), None)
    adversary = projected(faces, TIMES * SIDE, FEATURES, ADVERSARY)
    adversary.start = FOOLS_FROM
    return Recipe(
        name="enlarge",
        model=learning(start),
        data=Windows(files, SIDE, seed, large_and_small),
        loss=EnlargedLoss(adversary),
        training=TRAINING,
        validation=Validation(
            cases=lambda: {"": fixed_windows(validation[:64])},
            attempt=lambda net, pair: through(net, pair.lq),
            figures=gains,
            row=lambda pair, made: {"interpolated": cubic(pair.lq), "enlarged": made, "truth": pair.truth},
            shown=8,
        ),
        seed=seed,
    )


def learning(start: str | Path | None) -> Enlarger:
    """The net, its own layers free to learn, and of the cleaner the last blocks of the features."""
    net = begin(lambda: Enlarger.of(load_net(LENDER, Cleaner), {"cleaner": LENDER}), start, Enlarger)
    net.cleaner.requires_grad_(False)
    net.cleaner.up[0].requires_grad_(True)
    return net


def fixed_windows(files: Sequence[Path]) -> list[Pair]:
    """One window of each file, (128, 128, 3) uint8 and twice as large, alike in every run."""
    drawn = [(read_picture(path), np.random.default_rng((1, number))) for number, path in enumerate(files)]
    windows = [large_and_small(photo, 128, generator) for photo, generator in drawn]
    return [Pair(small, large) for large, small in windows]


def cubic(small: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 twice as large, as the net's answer is added to."""
    return to_picture(interpolated(to_tensor(small)[None])[0])


def gains(trials: Sequence[tuple[Pair, np.ndarray]]) -> dict[str, float]:
    """PSNR, what is gained over cubic interpolation, and the least gain."""
    made = [psnr(picture, pair.truth) for pair, picture in trials]
    gained = [one - psnr(cubic(pair.lq), pair.truth) for one, (pair, _) in zip(made, trials, strict=True)]
    return {"psnr": mean(made), "gain": mean(gained), "worst gain": float(np.min(gained))}
