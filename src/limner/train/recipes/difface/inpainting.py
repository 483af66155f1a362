"""Recipe: DifFace's estimator for faces with holes (docs/methods/difface.md, eq. (15), (16))."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
from limner.nets.hole_estimator import SHRINK, HoleEstimator
from limner.nets.lama import LaMa
from limner.pixels import to_picture, to_tensor
from limner.train.losses.adversary import AdversarialLoss
from limner.train.losses.projected import Projected, projected
from limner.train.recipe import Batch, MiniTraining, Preset, Recipe, Training
from limner.train.starting import begin
from limner.train.validation import Validation, device_of, mean

WITHIN = 10.0
"""How much more an error in a hole weighs than one in known pixels."""
FOOLS_FROM = 900
"""Step from which on the adversarial term counts: before, holes hold nothing that it could judge."""
TRAINING = {
    "mini": MiniTraining(steps=6_000, batch=16, lr=1e-3, final_lr=1e-5, warmup=100),
    "paper": Training(steps=500_000, batch=64, lr=1e-4, final_lr=5e-6, ema=0.999),
}


ONWARD = 3e-4
"""Rate at which a trained small net goes on: at the first one's it was lost when the adversarial term set in."""


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
    """Of the small picture: `weighted_l1`, and with its holes filled the perceptual and the adversarial term.

    Attributes:
        adversary: the latter two.
        step: that comes next.
    """

    adversary: Projected
    step: int = 0

    def __call__(self, model: ModelMixin, batch: Batch, generator: torch.Generator) -> Tensor:
        mask, truth = batch["mask"], batch["image"]
        # known pixels come out as they went in, so that a seam is seen
        made = model.get_submodule("coarse")(batch["lq"], mask).float()
        loss = 4 * weighted_l1(made, truth, mask) + self.adversary(made * 2 - 1, truth * 2 - 1, self.step, generator)
        self.step += 1
        return loss


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
        preset: `mini`, a small net that sees a quarter of the size, or `paper`, LaMa with the published settings; both
            for faces of 256 px.
        seed: of initialisation, data order and holes.
        start: an estimator to go on from, a name of the catalogue or a folder; None begins anew.
    """
    torch.manual_seed(seed)
    faces, validation = FaceSet.open(data, "train"), FaceSet.open(data, "val").spread(8)
    paper = preset == "paper"
    model = begin(LaMa if paper else HoleEstimator, start, ModelMixin)
    size = int(model.config["sample_size"])
    shown = size if paper else size // SHRINK
    adversary = projected(faces, shown, weight=0.3)
    adversary.start = FOOLS_FROM
    return Recipe(
        name="difface-inpainting",
        model=model,
        data=FacesWithHoles(faces, shown, seed, grey=0.0 if paper else 0.1),
        loss=l1 if paper else FilledLoss(adversary),
        training=TRAINING[preset] if paper or start is None else replace(TRAINING[preset], lr=ONWARD),
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
