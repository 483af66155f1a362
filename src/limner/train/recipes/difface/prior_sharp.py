"""Recipe: DifFace's prior, made sharp where the chain uses it (docs/methods/difface.md, eq. (13), (14)).

The prior learns its least noise levels from photographs, and meets there, at the end of a chain, what was smooth from
the start. So most of what it is shown here are restorations of all methods, noised as the chain noises them, in half of
the samples after a first step of its own. Layers at the picture's own size are added (`nets/tail.py`), and judged by
what a net that has seen the world sees in them; eyes and mouth once more by judges of their own, enlarged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import Tensor, nn

from limner.data.entries import FEATURES, Entries, box_sides
from limner.data.faces import FaceSet
from limner.device import frozen_pass
from limner.errors import WeightsError
from limner.evaluate.metrics.detail import detail_ratio
from limner.evaluate.metrics.fidelity import psnr
from limner.methods.difface import DIFFACE, DifFacePipeline
from limner.methods.schedules import difface_schedule
from limner.nets.estimator import Estimator
from limner.nets.unet import UNet
from limner.pixels import to_picture, to_tensor
from limner.train.losses.adversary import AdversarialLoss
from limner.train.losses.contrast import contrasts
from limner.train.losses.projected import Projected, projected
from limner.train.recipe import Batch, MiniTraining, Preset, Recipe, Training
from limner.train.recipes.difface.prior import LAST_TIMESTEP, noised
from limner.train.validation import MEASURED, degraded_faces, restorations
from limner.weights.load import load_net
from limner.weights.tensors import below

ENTRY, STRIDE = 40, 20
"""The prior is asked up to `ENTRY` about restorations that are noised up to `STRIDE` more: DifFace's chain asks one
stride below the noise (`limner.methods.difface.chain`), the embedded one 10 below 20, and then at 0."""
PIXELS, SLIGHT = 0.12, 0.005
"""Weight of the error in parts of the entry's own, and what is added to that: so one that can't be mended holds little
back, and what is good is kept, a face itself most of all. With one weight for all, badly damaged faces stayed as smooth
as the least error."""
PERCEPTUAL, ADVERSARIAL = 1.5, 1.0
FULLNESS, OCTAVES = 1.0, 2
"""Weight of the contrast in the finest octaves. The adversary alone filled the finest, and not the next."""
CLOSELY, ENLARGED = 0.5, 2
"""Of both terms, what they count in each of the `FEATURES`, and how much larger those are judged. A pupil is a few of a
judge's places among a window's hundreds: eyes stayed askew when skin and hair were like a photograph's."""
POOL = 1_404
"""Restorations; a multiple of two workers' batches, so that each worker makes its own half once."""
WINDOW = 144
"""Side of a window in pixels of a face of 256."""
TAIL = (48, 24)


TRAINING = {
    "mini": MiniTraining(steps=6_400, batch=6, lr=2e-4, final_lr=2e-5, warmup=50, betas=(0.5, 0.99)),
    "paper": Training(
        steps=20_000, batch=16, lr=1e-4, final_lr=1e-5, warmup=50, betas=(0.5, 0.99), clip=5.0, ema=0.998
    ),
}


@dataclass
class SharpLoss(AdversarialLoss):
    """|x0(z_t) - x| in parts of the entry's own error, and the contrast that x0(z_t) lacks or has too much of; of
    restorations also perceptual(x0(z_t), x) and the adversarial term. Faces themselves are noised up to
    `LAST_TIMESTEP`.

    Attributes:
        scheduler: the noise schedule.
        adversary: the other two terms.
        closely: the same two of each of the `FEATURES`, where a window holds it.
        size: side of the faces in pixels.
        step: that comes next.
    """

    scheduler: DDIMScheduler
    adversary: Projected
    closely: Mapping[str, Projected] = field(default_factory=dict)
    size: int = 256
    step: int = 0

    def __call__(self, model: UNet, batch: Batch, generator: torch.Generator) -> Tensor:
        truth, entry = batch["image"] * 2 - 1, batch["entry"] * 2 - 1
        chosen = batch["restored"] > 0
        draws = torch.rand(3, len(truth), generator=generator)
        noise = torch.randn(2, *truth.shape, generator=generator).to(truth.device)
        asked = torch.where(chosen.cpu(), draws[0] * (ENTRY + 1), draws[0] * (LAST_TIMESTEP + 1)).long()
        level = asked + torch.where(chosen.cpu(), draws[1] * (STRIDE + 1), 0).long()
        seen, asked = noised(self.scheduler, entry, noise[0], level.to(truth.device)), asked.to(truth.device)
        again = (chosen & (draws[2] < 0.5).to(chosen.device)).nonzero().flatten()
        if len(again):  # the chain's last step
            with torch.no_grad():
                before = model(seen[again], asked[again]).float().clamp(-1, 1)
            asked[again] = 0
            seen[again] = noised(self.scheduler, before, noise[1][again], asked[again])
        made = model(seen, asked).float()
        wrong, given = ((picture - truth).abs().mean(dim=(1, 2, 3)) / 2 for picture in (made, entry))
        loss = (PIXELS * wrong / (given + SLIGHT)).mean()
        for ours, theirs in zip(contrasts(made, OCTAVES), contrasts(truth, OCTAVES), strict=True):
            loss = loss + FULLNESS * (ours - theirs).abs().mean() / theirs.mean()
        judged = chosen.nonzero().flatten()
        if self.adversary.judges(made[judged]):
            loss = loss + self.adversary(made[judged], truth[judged], self.step, generator)
        for name, judge in self.closely.items():
            held = (chosen & (batch[name][:, 0] >= 0)).nonzero().flatten()
            if judge.judges(held):
                corners, sides = batch[name][held], box_sides(name, self.size)
                ours, theirs = (cut_out(pictures[held], corners, sides) for pictures in (made, truth))
                loss = loss + judge(ours, theirs, self.step, generator)
        self.step += 1
        return loss

    def state_dict(self) -> dict[str, Tensor]:
        """All that a resumed run needs."""
        judges = {
            f"{name}.{key}": value for name, judge in self.closely.items() for key, value in judge.state_dict().items()
        }
        return super().state_dict() | judges

    def load_state_dict(self, state: Mapping[str, Tensor], path: Path) -> None:
        """The way back from `state_dict`; `path` is of the file, for errors."""
        super().load_state_dict(state, path)
        for name, judge in self.closely.items():
            judge.load_state_dict(below(state, f"{name}."), path)


def cut_out(pictures: Tensor, corners: Tensor, sides: tuple[int, int]) -> Tensor:
    """Boxes of windows, `ENLARGED` times as large.

    Args:
        pictures: (B, 3, W, W).
        corners: (B, 2) top and left of a box in each.
        sides: height and width of all.
    """
    (height, width), places = sides, corners.tolist()
    boxes = [one[:, y : y + height, x : x + width] for one, (y, x) in zip(pictures, places, strict=True)]
    whole = torch.stack(boxes) if boxes else pictures.new_zeros(0, 3, height, width)
    return F.interpolate(whole, scale_factor=ENLARGED, mode="bilinear", align_corners=False)


def difface_prior_sharp(
    data: Path,
    preset: Preset = "mini",
    seed: int = 0,
    start: str | Path = "mini/difface-prior",
) -> Recipe[UNet]:
    """The recipe, for priors that predict x0.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini`; or `paper`, limner's choice of settings for a larger prior.
        seed: of data order, degradations and noise.
        start: the prior that is tuned: a name of the catalogue, or a folder. The embedded one has been through this
            already.

    Raises:
        WeightsError: if it is missing, or another net, or the package with the features isn't installed.
    """
    torch.manual_seed(seed)
    unet, estimator = load_net(start), load_net("mini/difface-estimator", Estimator)
    if not isinstance(unet, UNet) or unet.config["out_channels"] != 3:
        raise WeightsError(f"{start} holds no prior that predicts x0: train one with `limner train difface-prior`.")
    unet = with_tail(unet)
    unet.register_to_config(spectrum=[])  # measured on the net before; `limner.train.spectrum` does it anew
    faces, validation = FaceSet.open(data, "train"), FaceSet.open(data, "val").spread(16)
    size = int(unet.config["sample_size"])
    schedule = difface_schedule("sample")

    judge = projected(faces, size, PERCEPTUAL, ADVERSARIAL)
    weights = CLOSELY * PERCEPTUAL, CLOSELY * ADVERSARIAL
    closely = {name: Projected(judge.seen, judge.scale, *weights) for name in FEATURES}

    def restored(net: UNet, lq: np.ndarray) -> np.ndarray:
        return after_a_short_chain(estimator, net, schedule, lq)

    return Recipe(
        name="difface-prior-sharp",
        model=unet,
        data=Entries(faces, POOL, size, WINDOW * size // 256, seed),
        loss=SharpLoss(schedule, judge, closely, size),
        training=TRAINING[preset],
        validation=restorations(
            lambda: degraded_faces(validation, size, MEASURED),
            restored,
            {"psnr": psnr, "detail": detail_ratio},
            heading="restored",
        ),
        seed=seed,
        scheduler=schedule,
    )


def with_tail(unet: UNet) -> UNet:
    """The net with layers at full size, which at first change nothing; one that has them as it is."""
    if unet.tail is not None:
        return unet
    own = {name: value for name, value in unet.config.items() if not name.startswith("_")}
    grown = UNet(**{**own, "tail_widths": TAIL})
    grown.load_state_dict(unet.state_dict(), strict=False)
    return grown


def after_a_short_chain(estimator: Estimator, prior: UNet, schedule: DDIMScheduler, lq: np.ndarray) -> np.ndarray:
    """One face, (S, S, 3) uint8 to the same, as the embedded weights are sampled."""
    nn.Module.to(estimator, prior.device)
    pipeline = DifFacePipeline(estimator, prior, schedule)
    with frozen_pass():
        out = pipeline(to_tensor(lq)[None], **asdict(DIFFACE.mini), generator=torch.Generator().manual_seed(0))
    return to_picture(out.images[0])
