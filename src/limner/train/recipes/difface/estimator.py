"""Recipe: DifFace's estimator f, the regressor from a degraded to a clean face (docs/methods/difface.md, eq. (1), (2),
(11))."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor

from limner.data.faces import FaceSet
from limner.data.pairs import RestorationPairs
from limner.evaluate.metrics.fidelity import psnr
from limner.nets.estimator import Estimator
from limner.nets.swinir import SwinIR
from limner.train.recipe import Batch, MiniTraining, Preset, Recipe, Training
from limner.train.starting import begin
from limner.train.validation import MEASURED, Pair, Validation, degraded_faces, mean, through

SHOWN = {"ffhq-ref-severe": 4, "ffhq-ref-moderate": 4, "difface": 2, "old-print": 2}
"""What the small estimator is shown, in these shares: both measured presets, DifFace's own, and worn prints."""
VALIDATED = (*MEASURED, "old-print")
TRAINING = {
    "mini": MiniTraining(steps=3_700, batch=8, lr=7e-4, final_lr=7e-6, warmup=200),
    "paper": Training(steps=300_000, batch=32, lr=5e-5, final_lr=5e-6),
}


def l1(model: ModelMixin, batch: Batch, generator: torch.Generator) -> Tensor:
    """Mean absolute error, the paper's loss."""
    return (model(batch["lq"]) - batch["image"]).abs().mean()


def root_mse(model: ModelMixin, batch: Batch, generator: torch.Generator) -> Tensor:
    """Mean over the batch of each face's root mean squared error, in grey levels of 255.

    The gradient of every face then has one size. L2 is ruled by the worst inputs and blurs the good ones; the
    logarithm, PSNR itself, by the best.
    """
    error = (model(batch["lq"]).float() - batch["image"]).pow(2).mean(dim=(1, 2, 3))
    return 255 * (error + 1e-5).sqrt().mean()


def difface_estimator(
    data: Path, preset: Preset = "mini", seed: int = 0, start: str | Path | None = None
) -> Recipe[ModelMixin]:
    """The estimator's recipe.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini`, a small residual U-Net at 256 px, or `paper`, SwinIR at 512 px with the published settings.
        seed: of initialisation, data order and degradations.
        start: an estimator to go on from, a name of the catalogue or a folder; None begins anew. A new seed then
            shows it new degradations.
    """
    torch.manual_seed(seed)
    faces, validation = FaceSet.open(data, "train"), FaceSet.open(data, "val")
    paper = preset == "paper"
    size = 512 if paper else 256
    shown = {"difface": 1} if paper else SHOWN
    return Recipe(
        name="difface-estimator",
        model=begin(SwinIR if paper else Estimator, start, ModelMixin),
        data=RestorationPairs(faces, size, seed, shown, grey=0.0 if paper else 0.1),
        loss=l1 if paper else root_mse,
        training=TRAINING[preset],
        validation=Validation(
            cases=lambda: degraded_faces(validation.first(64), size, VALIDATED),
            attempt=lambda net, pair: through(net, pair.lq),
            figures=psnr_and_gain,
            row=lambda pair, estimate: {"input": pair.lq, "estimator": estimate, "truth": pair.truth},
        ),
        seed=seed,
    )


def psnr_and_gain(trials: Sequence[tuple[Pair, np.ndarray]]) -> dict[str, float]:
    """PSNR of estimates, and its gain over the degraded input."""
    after = mean(psnr(estimate, pair.truth) for pair, estimate in trials)
    return {"psnr": after, "gain": after - mean(psnr(pair.lq, pair.truth) for pair, _ in trials)}
