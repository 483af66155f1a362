"""Recipe: the cleaner, which takes noise, blocks and mild blur off a photograph at its own resolution."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from limner.data.faces import FaceSet, read_picture
from limner.data.windows import CleanWindows, photographs, window
from limner.evaluate.metrics import psnr
from limner.evaluate.report import contact_sheet
from limner.nets.clean import Cleaner
from limner.train.recipe import Batch, Recipe
from limner.train.recipes.difface.estimator import restore
from limner.weights.load import load_net

SLIGHT = 20.0
"""Grey levels of error that are added to what an error is measured by. With 4 the net learned to change next to
nothing: whatever it touched in a good photograph cost more than all it mended in the others. With 10 it learned to
sharpen what is mildly blurred, but left half of a mild noise where it was."""
OTHERS = "nofaces"
"""A folder beside that of the faces: photographs without one."""


def clean(
    data: Path, preset: Literal["mini", "paper"] = "mini", seed: int = 0, start: str | Path | None = None
) -> Recipe:
    """The cleaner's recipe.

    Args:
        data: folder of aligned faces with its tables; a folder `nofaces` beside it is used where there is one.
        preset: `mini` or `paper`, which are the same here.
        seed: of initialisation, data order and damage.
        start: a cleaner to go on from, a folder; None begins anew.
    """
    torch.manual_seed(seed)
    others = data.parent / OTHERS
    files = photographs(FaceSet.open(data, "train"), others if others.is_dir() else None)
    validation = photographs(FaceSet.open(data, "val"), None)
    return Recipe(
        name="clean",
        model=Cleaner() if start is None else load_net(start),
        data=CleanWindows(files, 128, seed),
        loss=relative_error,
        steps=14_000,
        batch=16,
        lr=8e-4,
        final_lr=1e-5,
        warmup=200,
        betas=(0.9, 0.99),
        clip=5.0,
        ema=0.998,
        precision="bf16",
        export="fp16",
        validate=Measure(validation[:64]),
        preview=Preview(validation[:8]),
        seed=seed,
    )


def relative_error(model: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
    """Each window's error over that of the spoilt window, which is the harm or the good that is done; a window with
    hardly any error counts by what is left of `SLIGHT`."""
    truth = batch["image"]
    return (error(model(batch["lq"]).float(), truth) / (error(batch["lq"], truth) + SLIGHT)).mean()


def error(picture: Tensor, truth: Tensor) -> Tensor:
    """Root mean squared error of each of (B, 3, H, W), in grey levels of 255, (B,)."""
    return 255 * ((picture - truth).square().mean(dim=(1, 2, 3)) + 1e-6).sqrt()


@dataclass
class FixedWindows:
    """Windows of validation faces, spoiled once so that every measurement of a run sees the same."""

    files: list[Path]

    def windows(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """(clean, spoilt) of each file, (256, 256, 3) uint8."""
        return [
            window(read_picture(path), 256, np.random.default_rng((1, number)))
            for number, path in enumerate(self.files)
        ]


class Measure(FixedWindows):
    """PSNR of the windows, and its gain over the spoilt ones where they are spoilt; the least of the others."""

    def __call__(self, model: nn.Module) -> dict[str, float]:
        gains, kept = [], []
        for truth, spoilt in self.windows():
            cleaned = restore(model, spoilt)
            if (truth == spoilt).all():
                kept.append(psnr(cleaned, truth))
            else:
                gains.append(psnr(cleaned, truth) - psnr(spoilt, truth))
        return {
            "gain": float(np.mean(gains)),
            "worst gain": float(np.min(gains)),
            "kept psnr": float(np.mean(kept)),
        }


class Preview(FixedWindows):
    """A contact sheet of a few windows."""

    def __call__(self, model: nn.Module) -> np.ndarray:
        rows = [[spoilt, restore(model, spoilt), truth] for truth, spoilt in self.windows()]
        return contact_sheet(rows, ["spoilt", "clean", "truth"])
