"""Recipe: LD-BFR's unconditional prior, a latent diffusion that has learned what faces look like
(docs/methods/ldbfr.md, eq. (12)). It is frozen ever after: what restores is injected into it, see `injection.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import Tensor, nn

from limner.data.faces import FaceSet
from limner.data.pairs import Faces
from limner.errors import LimnerError
from limner.evaluate.metrics.fidelity import psnr
from limner.evaluate.report import contact_sheet
from limner.methods.schedules import clean_estimate, ldbfr_schedule
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN
from limner.pixels import to_picture, to_tensor
from limner.train.losses.latent import LatentLoss
from limner.train.recipe import MiniTraining, Preset, Recipe, Training
from limner.train.sampling import walk
from limner.train.starting import begin, load_first_stage
from limner.train.validation import Report, Validation, mean

TRAINING = {
    "mini": MiniTraining(steps=500, batch=8, lr=8e-4, final_lr=1e-5, warmup=50, clip=1.0),
    "paper": Training(steps=635_000, batch=42, lr=8.4e-5, final_lr=8.4e-5, warmup=10_000, ema=0.9999),
}
NOISED_TO = (100, 300, 500, 700)
"""Timesteps from which validation faces are denoised in one step."""
DRAWN, DRAWN_STEPS = 4, 50
"""How many faces are drawn from nothing for the sheet, and in how many steps."""
GAP = 4
"""White pixels between the pictures of a sheet, as `contact_sheet` has them."""
SHEET = ("x0 at t=100", "x0 at t=300", "x0 at t=500")


def published_prior() -> UNet:
    """The latent diffusion that LD-BFR builds on: 274,056,163 parameters."""
    return UNet(
        sample_size=64,
        in_channels=3,
        out_channels=3,
        width=224,
        multipliers=(1, 2, 3, 4),
        depths=(2, 2, 2, 2),
        attention_levels=(1, 2, 3),
        head_channels=32,
        scale_shift=False,
    )


def mini_prior() -> UNet:
    """The prior that a CPU can train: 2 x 2 positions of the latent are one, no normalisation, two resolutions, and
    attention that knows places."""
    return UNet(
        sample_size=32,
        in_channels=8,
        out_channels=8,
        width=64,
        multipliers=(2, 2),
        depths=(1, 1),
        attention_levels=(0, 1),
        head_channels=32,
        scale_shift=False,
        groups=0,
        patch_size=2,
        input_skip=True,
        attention_positions=True,
    )


def ldbfr_prior(
    data: Path,
    preset: Preset = "mini",
    seed: int = 0,
    first_stage: str | Path = "mini/vqgan",
    start: str | Path | None = None,
) -> Recipe[UNet]:
    """The prior's recipe.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini`, in the latent of `mini/vqgan` at 256 px, a net that predicts x0; or `paper`, the published net
            and schedule in the latent of a first stage with 3 channels (recipe `ldbfr-vqgan`). The authors took a
            published prior; our settings are those that their field trained it with.
        seed: of initialisation, data order and noise.
        first_stage: the VQGAN: a name of the catalogue, or a folder.
        start: a prior to go on from, a name of the catalogue or a folder; None begins anew.

    Raises:
        LimnerError: if the VQGAN's latents are not the net's.
    """
    torch.manual_seed(seed)
    vqgan = load_first_stage(first_stage)
    wanted = 3 if preset == "paper" else 8
    if vqgan.config["latent_channels"] != wanted:
        raise LimnerError(
            f"The preset '{preset}' of ldbfr-prior needs latents of {wanted} channels and {first_stage} has "
            f"{vqgan.config['latent_channels']}: give another VQGAN by --first-stage (recipe ldbfr-vqgan)."
        )
    faces, validation = FaceSet.open(data, "train"), FaceSet.open(data, "val")
    if preset == "paper":
        schedule = ldbfr_schedule("epsilon")
        net, loss = begin(published_prior, start, UNet), LatentLoss(vqgan, schedule)
        samples = Faces(faces, 256, seed)
    else:
        schedule = ldbfr_schedule("sample", "trailing")
        net, loss = begin(mini_prior, start, UNet), LatentLoss(vqgan, schedule, repeats=8, balance=True)
        samples = Faces(faces, 256, seed, grey=0.1)
    return Recipe(
        name="ldbfr-prior",
        model=net,
        data=samples,
        loss=loss,
        training=TRAINING[preset],
        validation=one_step_estimates_and_samples(validation.first(32), vqgan, schedule),
        seed=seed,
        scheduler=schedule,
    )


def one_step_estimates_and_samples(faces: FaceSet, vqgan: VQGAN, schedule: DDIMScheduler) -> Callable[[UNet], Report]:
    """PSNR of one denoising step from noised faces; the sheet also shows faces that are drawn from nothing."""
    one_step = Validation[UNet, Numbered, dict[str, np.ndarray]](
        cases=lambda: {"": [Numbered(n, faces.image(n, 256)) for n in range(len(faces))]},
        attempt=lambda net, face: one_step_estimates(net, vqgan, schedule, face),
        figures=psnr_by_timestep,
        row=lambda face, seen: {**{name: seen[name] for name in SHEET}, "truth": face.truth},
        shown=DRAWN,
    )

    def validate(net: UNet) -> Report:
        report = one_step(net)
        left = contact_sheet([[face] for face in drawn(net, vqgan, schedule)], ["from nothing"])
        between = np.full((len(left), GAP, 3), 255, np.uint8)
        return replace(report, sheet=np.hstack([left, between, report.sheet]))

    return validate


class Numbered(NamedTuple):
    """A validation face, (S, S, 3) uint8, and its number, which fixes its noise."""

    number: int
    truth: np.ndarray


def one_step_estimates(net: UNet, vqgan: VQGAN, schedule: DDIMScheduler, face: Numbered) -> dict[str, np.ndarray]:
    """One denoising step from a face noised to each timestep: the predicted x0, decoded."""
    device = net.device
    nn.Module.to(vqgan, device)
    clean = vqgan.encode(to_tensor(face.truth)[None].to(device) * 2 - 1).float()
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(face.number)).to(device)
    seen = {}
    for timestep in NOISED_TO:
        abar = schedule.alphas_cumprod[timestep].to(device)
        noisy = abar.sqrt() * clean + (1 - abar).sqrt() * noise
        predicted = net(noisy, torch.full((1,), timestep, device=device)).float()
        seen[f"x0 at t={timestep}"] = decoded(vqgan, clean_estimate(schedule, predicted, noisy, abar))
    return seen


def drawn(net: UNet, vqgan: VQGAN, schedule: DDIMScheduler) -> list[np.ndarray]:
    """Faces that are nobody's."""
    side, channels = net.config["sample_size"], net.config["in_channels"]
    x = torch.randn(DRAWN, channels, side, side, generator=torch.Generator().manual_seed(0)).to(net.device)
    x = walk(schedule, x, DRAWN_STEPS, lambda x, times: net(x, times).float())
    return [decoded(vqgan, one[None]) for one in x]


def decoded(vqgan: VQGAN, latent: Tensor) -> np.ndarray:
    """One latent, decoded, (S, S, 3) uint8."""
    return to_picture(vqgan.decode(latent)[0].float() / 2 + 0.5)


def psnr_by_timestep(trials: Sequence[tuple[Numbered, dict[str, np.ndarray]]]) -> dict[str, float]:
    """PSNR of one denoising step, by the timestep that the faces were noised to."""
    return {
        f"psnr t={timestep}": mean(psnr(seen[f"x0 at t={timestep}"], face.truth) for face, seen in trials)
        for timestep in NOISED_TO
    }
