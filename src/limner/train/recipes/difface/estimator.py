"""Recipe: DifFace's estimator f, the regressor from a degraded to a clean face (methods paper, section 4.2)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from limner.data.faces import FaceSet
from limner.data.pairs import RestorationPairs
from limner.evaluate.metrics import psnr
from limner.evaluate.report import contact_sheet
from limner.nets.estimator import Estimator
from limner.nets.swinir import SwinIR
from limner.pixels import to_picture, to_tensor
from limner.train.fixed_faces import MEASURED, FixedFaces
from limner.train.recipe import Batch, Recipe
from limner.weights.load import load_net

SHOWN = {"ffhq-ref-severe": 4, "ffhq-ref-moderate": 4, "difface": 2, "old-print": 2}
"""What the small estimator is shown, in these shares: both measured presets, DifFace's own, and worn prints."""
VALIDATED = (*MEASURED, "old-print")


def l1(model: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
    """Mean absolute error, the paper's loss."""
    return (model(batch["lq"]) - batch["image"]).abs().mean()


def root_mse(model: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
    """Mean over the batch of each face's root mean squared error, in grey levels of 255.

    The gradient of every face then has one size. L2 is ruled by the worst inputs and blurs the good ones; the
    logarithm, PSNR itself, by the best.
    """
    error = (model(batch["lq"]).float() - batch["image"]).pow(2).mean(dim=(1, 2, 3))
    return 255 * (error + 1e-5).sqrt().mean()


def difface_estimator(
    data: Path, preset: Literal["mini", "paper"] = "mini", seed: int = 0, start: str | Path | None = None
) -> Recipe:
    """The estimator's recipe.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini`, a small residual U-Net at 256 px, or `paper`, SwinIR at 512 px with the published settings.
        seed: of initialisation, data order and degradations.
        start: an estimator to go on from, a folder; None begins anew. A new seed then shows it new degradations.
    """
    torch.manual_seed(seed)
    faces = FaceSet.open(data, "train")
    validation = FaceSet.open(data, "val")
    if preset == "paper":
        return Recipe(
            name="difface-estimator",
            model=SwinIR() if start is None else load_net(start),
            data=RestorationPairs(faces, 512, seed, {"difface": 1}),
            loss=l1,
            steps=300_000,
            batch=32,
            lr=5e-5,
            final_lr=5e-6,
            validate=Measure(validation, 512, 64),
            preview=Preview(validation, 512, 4),
            seed=seed,
        )
    return Recipe(
        name="difface-estimator",
        model=Estimator() if start is None else load_net(start),
        data=RestorationPairs(faces, 256, seed, SHOWN, grey=0.1),
        loss=root_mse,
        steps=3_700,
        batch=8,
        lr=7e-4,
        final_lr=7e-6,
        warmup=200,
        betas=(0.9, 0.99),
        clip=5.0,
        ema=0.998,
        precision="bf16",
        export="fp16",
        validate=Measure(validation, 256, 64),
        preview=Preview(validation, 256, 4),
        seed=seed,
    )


def restore(model: nn.Module, lq: np.ndarray) -> np.ndarray:
    """One face, (S, S, 3) uint8 to the same, through an estimator."""
    return to_picture(model(to_tensor(lq)[None].to(next(model.parameters()).device))[0])


class Measure(FixedFaces):
    """PSNR of the validation faces, and its gain over the degraded input, under every preset it is validated on."""

    def __call__(self, model: nn.Module) -> dict[str, float]:
        figures = {}
        for preset in VALIDATED:
            pairs = self.pairs(preset)
            after = np.mean([psnr(restore(model, lq), clean) for lq, clean in pairs])
            before = np.mean([psnr(lq, clean) for lq, clean in pairs])
            figures |= {f"{preset} psnr": float(after), f"{preset} gain": float(after - before)}
        return figures


class Preview(FixedFaces):
    """A contact sheet of four validation faces under each preset it is validated on."""

    def __call__(self, model: nn.Module) -> np.ndarray:
        rows = [[lq, restore(model, lq), clean] for preset in VALIDATED for lq, clean in self.pairs(preset)]
        return contact_sheet(rows, ["input", "estimator", "truth"])
