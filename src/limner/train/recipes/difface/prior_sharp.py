"""Recipe: DifFace's prior, made sharp where the chain uses it (docs/methods/difface.md, eq. (13), (14)).

The prior learns its least noise levels from photographs, and meets there, at the end of a chain, an estimate that was
smooth from the start. So half of what it is shown here are noised estimates, and a discriminator asks of every
prediction the sharpness of a photograph. What the estimator's own layers see in a face holds that sharpness to its
place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import Tensor, nn

from limner.data.faces import FaceSet
from limner.data.pairs import RestorationPairs
from limner.device import frozen_pass
from limner.errors import WeightsError
from limner.evaluate.metrics import detail_ratio, psnr
from limner.evaluate.perceptual import estimator_features
from limner.methods.difface import DIFFACE, DifFacePipeline
from limner.methods.schedules import difface_schedule
from limner.nets.discriminator import PatchDiscriminator
from limner.nets.estimator import Estimator
from limner.nets.unet import UNet
from limner.pixels import to_picture, to_tensor
from limner.train.losses.adversary import AdversarialLoss, Adversary
from limner.train.recipe import Batch, MiniTraining, Preset, Recipe, Training
from limner.train.recipes.difface.estimator import SHOWN
from limner.train.recipes.difface.prior import LAST_TIMESTEP, noised
from limner.train.recipes.refldm.vqgan import Difference, l1, root_mse
from limner.train.validation import MEASURED, degraded_faces, restorations
from limner.weights.load import load_net

ENTRY = 200
"""Estimates are noised up to this timestep: the embedded weights enter the chain below it."""
WINDOW = 160
"""Side in pixels of the windows that are learned from. All of a window is judged: where it ends the net sees zeros, as
it does at the edge of a face."""


TRAINING = {
    "mini": MiniTraining(steps=1_200, batch=8, lr=3e-4, final_lr=1e-5, warmup=50),
    "paper": Training(
        steps=20_000, batch=16, lr=1e-4, final_lr=1e-5, warmup=50, betas=(0.9, 0.99), clip=5.0, ema=0.998
    ),
}


class Estimates(RestorationPairs):
    """Windows of faces with what the chain would enter with: sample n is {"image", "entry": (3, W, W) in [0, 1],
    "estimated": 0 or 1}; the entry is the estimate of the degraded face, or for half of the faces the face itself.

    Args:
        estimator: f, frozen.
    """

    def __init__(self, faces: FaceSet, size: int, seed: int, presets: Mapping[str, float], estimator: nn.Module):
        super().__init__(faces, size, seed, presets, grey=0.1)
        self.estimator = estimator.eval().requires_grad_(False)

    def __getitem__(self, n: int) -> Batch:
        pair, _, generator = self.pair(n)
        estimated = generator.random() < 0.5
        entry = pair["image"]
        if estimated:
            with frozen_pass():
                entry = self.estimator(pair["lq"][None])[0].float().clamp(0, 1)
        window = min(WINDOW, self.size)
        y, x = generator.integers(0, self.size - window + 1, 2).tolist()
        inside = (slice(None), slice(y, y + window), slice(x, x + window))
        flag = torch.tensor(float(estimated))
        return {"image": pair["image"][inside], "entry": entry[inside], "estimated": flag}


@dataclass
class SharpLoss(AdversarialLoss):
    """reconstruction(x0(z_t), x) + perceptual(x0(z_t), x) + adversarial term, z_t the noised face (t up to `last`) or
    estimate (up to `entry`).

    Attributes:
        scheduler: the noise schedule.
        reconstruction: compares pictures in [-1, 1].
        adversary: the adversarial term; its discriminator learns from the first step on.
        perceptual: compares pictures in [-1, 1]; None for none.
        last, entry: largest timesteps. Above `entry` nothing is asked to be sharp.
    """

    scheduler: DDIMScheduler
    reconstruction: Difference
    adversary: Adversary
    perceptual: Difference | None = None
    last: int = LAST_TIMESTEP
    entry: int = ENTRY

    def __call__(self, model: UNet, batch: Batch, generator: torch.Generator) -> Tensor:
        truth, entry = batch["image"] * 2 - 1, batch["entry"] * 2 - 1
        most = torch.where(batch["estimated"].cpu() > 0, self.entry, self.last)
        times = (torch.rand(len(truth), generator=generator) * (most + 1)).long().to(truth.device)
        noise = torch.randn(truth.shape, generator=generator).to(truth.device)
        made = model(noised(self.scheduler, entry, noise, times), times).float()
        loss = self.reconstruction(made, truth)
        if self.perceptual:
            loss = loss + self.perceptual(made, truth)
        judged = made[times <= self.entry]
        if self.adversary.judges(judged):
            self.adversary.learn(truth, judged.detach())
            if self.adversary.active(self.step):
                loss = loss + self.adversary.fool(judged, loss, at=model.head.weight)
        self.step += 1
        return loss


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
        start: the prior that is tuned: a name of the catalogue, or a folder. The embedded one
            has been through this already.

    Raises:
        WeightsError: if it is missing, or another net.
    """
    torch.manual_seed(seed)
    unet, estimator = load_net(start), load_net("mini/difface-estimator", Estimator)
    if not isinstance(unet, UNet) or unet.config["out_channels"] != 3:
        raise WeightsError(f"{start} holds no prior that predicts x0: train one with `limner train difface-prior`.")
    faces, validation = FaceSet.open(data, "train"), FaceSet.open(data, "val")
    size, paper = int(unet.config["sample_size"]), preset == "paper"
    schedule = difface_schedule("sample")
    discriminator = PatchDiscriminator(width=64 if paper else 32)
    adversary = Adversary(100, 0.8, discriminator, lr=2e-4, r1=2.0)

    def restored(net: UNet, lq: np.ndarray) -> np.ndarray:
        return after_a_short_chain(estimator, net, schedule, lq)

    return Recipe(
        name="difface-prior-sharp",
        model=unet,
        data=Estimates(faces, size, seed, SHOWN, estimator),
        loss=SharpLoss(schedule, l1 if paper else root_mse, adversary, estimator_features()),
        training=TRAINING[preset],
        validation=restorations(
            lambda: degraded_faces(validation.first(16), size, MEASURED),
            restored,
            {"psnr": psnr, "detail": detail_ratio},
            heading="restored",
        ),
        seed=seed,
        scheduler=schedule,
    )


def after_a_short_chain(estimator: Estimator, prior: UNet, schedule: DDIMScheduler, lq: np.ndarray) -> np.ndarray:
    """One face, (S, S, 3) uint8 to the same, as the embedded weights are sampled."""
    nn.Module.to(estimator, prior.device)
    pipeline = DifFacePipeline(estimator, prior, schedule)
    with frozen_pass():
        out = pipeline(to_tensor(lq)[None], **asdict(DIFFACE.mini), generator=torch.Generator().manual_seed(0))
    return to_picture(out.images[0])
