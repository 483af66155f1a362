"""Recipe: DifFace's estimator for faces with holes (docs/methods/difface.md, eq. (15), (16))."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor

from limner.data.faces import FaceSet
from limner.data.holes import KINDS, FacesWithHoles
from limner.data.pairs import named_generator
from limner.evaluate.metrics.fidelity import psnr
from limner.nets.hole_estimator import HoleEstimator
from limner.nets.lama import LaMa
from limner.pixels import to_picture, to_tensor
from limner.train.losses.adversary import AdversarialLoss
from limner.train.losses.projected import Projected, projected
from limner.train.recipe import Batch, MiniTraining, Preset, Recipe, Training
from limner.train.starting import begin
from limner.train.validation import Validation, device_of, mean

WITHIN = 10.0
"""How much more an error in a hole weighs than one in known pixels."""
FOOLS_FROM = 2_200
"""Step from which on the adversarial term counts: before, holes hold nothing that it could judge."""
WINDOW = 128
"""Side in pixels of what the perceptual and the adversarial term look at, of each face."""
DAMAGE = {"ffhq-ref-moderate": 2, "old-print": 2, "ffhq-ref-severe": 1}
"""What befalls faces beside their holes."""
TRAINING = {
    "mini": MiniTraining(steps=5_000, batch=4, lr=7e-4, final_lr=1e-5, warmup=100),
    "paper": Training(steps=500_000, batch=64, lr=1e-4, final_lr=5e-6, ema=0.999),
}


def weighted_l1(made: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """The paper's loss: sum w |made - truth| / sum w, with w 10 in holes and 1 elsewhere, one for the three channels.

    Args:
        made, truth: (B, 3, H, W).
        mask: (B, 1, H, W), 1 in holes.
    """
    weight = 1 + (WITHIN - 1) * mask
    return (weight * (made - truth).abs()).sum() / weight.sum()


def l1(model: ModelMixin, batch: Batch, generator: torch.Generator) -> Tensor:
    """The paper's loss of a net, see `weighted_l1`."""
    return weighted_l1(model(batch["lq"], batch["mask"]).float(), batch["image"], batch["mask"])


@dataclass
class FilledLoss(AdversarialLoss):
    """`weighted_l1`, and of a window of every other face, its holes filled, the perceptual and the adversarial term.

    Attributes:
        adversary: the latter two.
        step: that comes next.
    """

    adversary: Projected
    step: int = 0

    def __call__(self, model: ModelMixin, batch: Batch, generator: torch.Generator) -> Tensor:
        mask, truth = batch["mask"], batch["image"]
        made = model(batch["lq"], mask).float()
        loss = 4 * weighted_l1(made, truth, mask)
        filled = mask * made + (1 - mask) * truth  # so that a seam is seen
        half = slice(len(truth) // 2 or 1)  # these terms cost as much as all else, and one face is as good as another
        seen, real = windows(torch.cat([filled, truth], dim=1)[half], WINDOW, generator).chunk(2, dim=1)
        loss = loss + self.adversary(seen * 2 - 1, real * 2 - 1, self.step, generator)
        self.step += 1
        return loss


def windows(pictures: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """One square of each of (B, C, H, W), at a place of its own, (B, C, side, side); smaller pictures whole."""
    spare = [max(0, length - side) for length in pictures.shape[-2:]]
    places = [torch.randint(0, free + 1, (len(pictures),), generator=generator).tolist() for free in spare]
    cut = [one[:, y : y + side, x : x + side] for one, y, x in zip(pictures, *places, strict=True)]
    return torch.stack(cut)


class Holed(NamedTuple):
    """A validation face, (S, S, 3) uint8, and its holes, (S, S) uint8, 255 there."""

    truth: np.ndarray
    mask: np.ndarray


def difface_inpainting(
    data: Path, preset: Preset = "mini", seed: int = 0, start: str | Path | None = None
) -> Recipe[ModelMixin]:
    """The recipe of the estimator for holes.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini`, a small residual U-Net, or `paper`, LaMa with the published settings; both at 256 px.
        seed: of initialisation, data order and holes.
        start: an estimator to go on from, a name of the catalogue or a folder; None begins anew.
    """
    torch.manual_seed(seed)
    faces, validation = FaceSet.open(data, "train"), FaceSet.open(data, "val").spread(16)
    paper = preset == "paper"
    model = begin(LaMa if paper else HoleEstimator, start, ModelMixin)
    size = int(model.config["sample_size"])
    adversary = projected(faces, WINDOW, weight=0.3)
    adversary.start = FOOLS_FROM
    return Recipe(
        name="difface-inpainting",
        model=model,
        data=FacesWithHoles(faces, size, seed, DAMAGE, 0.0 if paper else 0.25, 0.0 if paper else 0.1),
        loss=l1 if paper else FilledLoss(adversary),
        training=TRAINING[preset],
        validation=Validation(
            cases=lambda: holed_faces(validation, size),
            attempt=filled,
            figures=psnr_within,
            row=lambda case, picture: {
                "input": np.where(case.mask[..., None] > 0, 0, case.truth).astype(np.uint8),
                "filled": picture,
                "truth": case.truth,
            },
            shown=3,
        ),
        seed=seed,
    )


def holed_faces(faces: FaceSet, size: int) -> dict[str, list[Holed]]:
    """Every face with one hole of each kind of the paper's test set, by the kind; alike in every run."""
    truths = [faces.image(n, size) for n in range(len(faces))]
    return {
        kind: [Holed(truth, draw(size, named_generator(f, kind))) for truth, f in zip(truths, faces.files, strict=True)]
        for kind, draw in KINDS.items()
    }


def filled(net: ModelMixin, case: Holed) -> np.ndarray:
    """A face whose holes an estimator filled, (S, S, 3) uint8; outside them it is the truth."""
    mask = torch.from_numpy(case.mask / np.float32(255))[None, None]
    known = to_tensor(case.truth)[None] * (1 - mask)
    device = device_of(net)
    made = to_picture(net(known.to(device), mask.to(device))[0])
    return np.where(case.mask[..., None] > 0, made, case.truth)


def psnr_within(trials: Sequence[tuple[Holed, np.ndarray]]) -> dict[str, float]:
    """Mean PSNR in the holes."""
    inside = [(picture[case.mask > 0][None], case.truth[case.mask > 0][None]) for case, picture in trials]
    return {"psnr": mean(psnr(made, truth) for made, truth in inside)}
