"""Recipe: the net that finds damage, on synthetic damage whose mask is known (`limner.data.damage`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from limner.data.damage import DamageWindows, window
from limner.data.faces import FaceSet, read_picture
from limner.data.nofaces import FOLDER, photographs_of_nobody
from limner.degrade.damage import Damaged
from limner.errors import LimnerError
from limner.nets.damage import DamageNet
from limner.pixels import to_tensor
from limner.train.recipe import Batch, MiniTraining, Preset, Recipe
from limner.train.starting import begin
from limner.train.validation import Validation, device_of

WINDOW = 192
"""Pixels of a window's side: the net sees 90 around each, so that the middle at least is seen as in a whole photo."""
TRAINING = MiniTraining(steps=60_000, batch=8, lr=1.5e-3, final_lr=1e-5, warmup=200, weight_decay=1e-3)
THRESHOLD = 0.5
"""Chance from which on the validation counts a pixel as found."""
FEWEST = 0.01
"""Share of a batch's pixels that counts as damaged at least, in the loss's mean over them: a batch with a handful
moved the net as far as a hundred others did."""
DAMAGED, CLEAN = "damaged", "clean"


def damage(data: Path, preset: Preset = "mini", seed: int = 0, start: str | Path | None = None) -> Recipe[DamageNet]:
    """The recipe of the net that finds damage.

    Args:
        data: folder of aligned faces with its tables; a folder `nofaces` beside it is used where there is one.
        preset: "mini", the embedded net.
        seed: of initialisation, data order and damage.
        start: a net to go on from, a name of the catalogue or a folder; None begins anew.

    Raises:
        LimnerError: there is no such preset, or the data lacks its tables.
    """
    if preset != "mini":
        raise LimnerError(f"The net that finds damage has one preset, 'mini', not '{preset}'.")
    torch.manual_seed(seed)
    data = Path(data)
    others = photographs_of_nobody(data.parent / FOLDER, measured=False) if (data.parent / FOLDER).is_dir() else []
    faces, validation = ([data / file for file in FaceSet.open(data, split).files] for split in ("train", "val"))
    return Recipe(
        name="damage",
        model=begin(DamageNet, start, DamageNet),
        data=DamageWindows(faces, others, WINDOW, seed),
        loss=loss,
        training=TRAINING,
        validation=Validation(
            cases=lambda: {one: fixed_windows(validation[:80], one == DAMAGED) for one in (DAMAGED, CLEAN)},
            attempt=found,
            figures=figures,
            row=shown,
            shown=16,
        ),
        seed=seed,
    )


def loss(net: DamageNet, batch: Batch, generator: torch.Generator) -> Tensor:
    """The focal loss for each damaged pixel (Lin et al. 2017, eq. 4 with gamma 2), since cross-entropy alone was all
    about the many pixels that are plainly none, and Dice's coefficient over the batch (Milletari et al. 2016,
    "V-Net"); both where damage is no matter of doubt."""
    logits = net(batch["picture"].contiguous(memory_format=torch.channels_last))
    truth, care = batch["truth"], batch["care"]
    entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    focal = ((1 - (-entropy).exp()).square() * entropy * care).sum() / truth.sum().clamp(min=FEWEST * truth.numel())
    chance = logits.sigmoid() * care
    dice = 1 - (2 * (chance * truth).sum() + 1) / ((chance * chance).sum() + truth.sum() + 1)
    return focal + dice


def fixed_windows(files: Sequence[Path], damaged: bool) -> list[Damaged]:
    """One window of each file, 192 px, the same in every run, all of them damaged or none."""
    return [
        window(read_picture(path), 192, np.random.default_rng((7, number)), damaged)
        for number, path in enumerate(files)
    ]


def found(net: DamageNet, case: Damaged) -> np.ndarray:
    """The chance of damage, (H, W) float32 in [0, 1]."""
    return net(to_tensor(case.picture)[None].to(device_of(net)))[0].sigmoid().cpu().numpy()


def figures(trials: Sequence[tuple[Damaged, np.ndarray]]) -> dict[str, float]:
    """Of all pixels without doubt: precision, recall and the share that is marked, at `THRESHOLD`."""
    marked = np.concatenate([(chance >= THRESHOLD)[~case.doubtful] for case, chance in trials])
    truth = np.concatenate([case.truth[~case.doubtful] for case, _ in trials])
    right = int((marked & truth).sum())
    shares = {"marked": float(marked.mean())}
    if truth.any():
        shares |= {"precision": right / max(int(marked.sum()), 1), "recall": right / int(truth.sum())}
    return shares


def shown(case: Damaged, chance: np.ndarray) -> dict[str, np.ndarray]:
    """The window, the truth (doubt in grey) and the chance."""
    truth = np.where(case.truth, 255, np.where(case.doubtful, 90, 0))
    maps = {"truth": truth, "found": np.rint(255 * chance)}
    return {"picture": case.picture} | {
        name: np.repeat(one[..., None], 3, 2).astype(np.uint8) for name, one in maps.items()
    }
