"""Recipe: the cleaner, which takes noise, blocks and mild blur off a photograph at its own resolution."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from limner.data.faces import FaceSet, read_picture
from limner.data.windows import Windows, photographs, window
from limner.evaluate.metrics.fidelity import psnr
from limner.nets.clean import Cleaner
from limner.train.recipe import Batch, MiniTraining, Preset, Recipe
from limner.train.starting import begin
from limner.train.validation import Pair, Validation, mean, through

SLIGHT = 20.0
"""Grey levels of error that are added to what an error is measured by. With 4 the net learned to change next to
nothing: whatever it touched in a good photograph cost more than all it mended in the others. With 10 it learned to
sharpen what is mildly blurred, but left half of a mild noise where it was."""
OTHERS = "nofaces"
"""A folder beside that of the faces: photographs without one."""
LENDER = "mini/clean"
"""Whose features `mini/enlarge` borrows."""
TRAINING = MiniTraining(steps=14_000, batch=16, lr=5e-4, final_lr=1e-5, warmup=200)


def clean(data: Path, preset: Preset = "mini", seed: int = 0, start: str | Path | None = None) -> Recipe[Cleaner]:
    """The cleaner's recipe.

    Args:
        data: folder of aligned faces with its tables; a folder `nofaces` beside it is used where there is one.
        preset: `mini` or `paper`, which are the same here.
        seed: of initialisation, data order and damage.
        start: a cleaner to go on from, a name of the catalogue or a folder; None begins anew. The features of
            `mini/clean` stay as they are but for the last blocks, since the enlarger shares them.
    """
    torch.manual_seed(seed)
    others = data.parent / OTHERS
    files = photographs(FaceSet.open(data, "train"), others if others.is_dir() else None)
    validation = photographs(FaceSet.open(data, "val"), None)
    return Recipe(
        name="clean",
        model=learning(start),
        data=Windows(files, 128, seed, window),
        loss=relative_error,
        training=TRAINING,
        validation=Validation(
            cases=lambda: {"": spoilt_windows(validation[:64])},
            attempt=lambda net, pair: through(net, pair.lq),
            figures=gains,
            row=lambda pair, cleaned: {"spoilt": pair.lq, "clean": cleaned, "truth": pair.truth},
            shown=8,
        ),
        seed=seed,
    )


def learning(start: str | Path | None) -> Cleaner:
    """The net; of the embedded one only what the enlarger doesn't borrow may learn (`recipes/enlarge.py`)."""
    net = begin(Cleaner, start, Cleaner)
    if start == LENDER:
        net.requires_grad_(False)
        for part in (net.up[0], net.head, net.tail, net.out):
            part.requires_grad_(True)
    return net


def relative_error(model: Cleaner, batch: Batch, generator: torch.Generator) -> Tensor:
    """Each window's error over that of the spoilt window, which is the harm or the good that is done; a window with
    hardly any error counts by what is left of `SLIGHT`."""
    truth = batch["image"]
    return (error(model(batch["lq"]).float(), truth) / (error(batch["lq"], truth) + SLIGHT)).mean()


def error(picture: Tensor, truth: Tensor) -> Tensor:
    """Root mean squared error of each of (B, 3, H, W), in grey levels of 255, (B,)."""
    return 255 * ((picture - truth).square().mean(dim=(1, 2, 3)) + 1e-6).sqrt()


def spoilt_windows(files: Sequence[Path]) -> list[Pair]:
    """One window of each file, (256, 256, 3) uint8, spoiled alike in every run."""
    windows = [window(read_picture(path), 256, np.random.default_rng((1, number))) for number, path in enumerate(files)]
    return [Pair(spoilt, truth) for truth, spoilt in windows]


def gains(trials: Sequence[tuple[Pair, np.ndarray]]) -> dict[str, float]:
    """PSNR gained over the spoilt windows where they are spoilt, the least gain, and the PSNR of the others."""
    gained, kept = [], []
    for (spoilt, truth), cleaned in trials:
        if (truth == spoilt).all():
            kept.append(psnr(cleaned, truth))
        else:
            gained.append(psnr(cleaned, truth) - psnr(spoilt, truth))
    return {"gain": mean(gained), "worst gain": float(np.min(gained)), "kept psnr": mean(kept)}
