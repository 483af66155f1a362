"""Recipes: ReF-LDM's latent diffusion, first without references (`ldm`), then with them (`refldm`)
(docs/methods/refldm.md, eq. (10), (11)). The first stage is the recipe `vqgan`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import Tensor, nn

from limner.data.augment import ALIGNED, PAPER, vary
from limner.data.faces import FaceSet
from limner.data.pairs import RestorationPairs, fixed_pairs, named_generator
from limner.data.reference_pairs import ReferencePairs
from limner.evaluate.metrics.fidelity import psnr
from limner.methods.schedules import clean_estimate, refldm_schedule
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN
from limner.pixels import to_picture, to_tensor
from limner.train.losses.identity import IdentityLoss
from limner.train.losses.reference import ReferenceLoss
from limner.train.recipe import MiniTraining, Preset, Recipe, Training
from limner.train.starting import begin, load_first_stage
from limner.train.validation import SEVERE, Validation, mean
from limner.weights.load import load_identity

MIX: Mapping[str, float] = {"ffhq-ref-severe": 6, "ffhq-ref-moderate": 3, "refldm": 1, "old-print": 1}
LDM = {
    "mini": MiniTraining(steps=500, batch=16, lr=8e-4, final_lr=4e-4, warmup=100, clip=1.0),
    "paper": Training(steps=500_000, batch=40, accumulate=2, lr=5e-5, final_lr=5e-5, ema=0.9999),
}
REFLDM = {
    "mini": replace(LDM["mini"], steps=750, lr=6e-4, final_lr=6e-6, warmup=50),
    "paper": replace(LDM["paper"], steps=150_000, batch=8, warmup=10_000),
}
NOISED_TO = {
    "t=999 alone": (999, False),
    "t=999 reference": (999, True),
    "t=400 alone": (400, False),
    "t=400 reference": (400, True),
}
"""Timesteps from which validation faces are denoised in one step, and whether with a reference."""


def published_unet() -> UNet:
    """ReF-LDM's denoiser: 117,759,368 parameters."""
    return UNet(
        sample_size=64,
        in_channels=16,
        out_channels=8,
        width=160,
        multipliers=(1, 2, 2, 4),
        depths=(2, 2, 2, 2),
        attention_levels=(1, 2, 3),
        head_channels=32,
        scale_shift=False,
    )


def mini_unet() -> UNet:
    """The denoiser that a CPU can train: no normalisation, two resolutions, and attention that knows places."""
    return UNet(
        sample_size=32,
        in_channels=16,
        out_channels=8,
        width=64,
        multipliers=(2, 3),
        depths=(2, 1),
        attention_levels=(1,),
        head_channels=32,
        scale_shift=False,
        groups=0,
        input_skip=True,
        attention_positions=True,
    )


def ldm(data: Path, preset: Preset = "mini", seed: int = 0, first_stage: str | Path = "mini/vqgan") -> Recipe[UNet]:
    """Stage 2: a latent diffusion that sees the degraded picture only.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini`, 256 px and a net that predicts x0, or `paper`, 512 px with the published settings.
        seed: of initialisation, data order, degradations and noise.
        first_stage: the VQGAN: a name of the catalogue, or a folder.
    """
    torch.manual_seed(seed)
    vqgan = load_first_stage(first_stage)
    faces, validation = FaceSet.open(data, "train"), FaceSet.open(data, "val")
    if preset == "paper":
        schedule = refldm_schedule("epsilon")
        net, loss = published_unet(), ReferenceLoss(vqgan, schedule)
        pairs = RestorationPairs(faces, 512, seed, {"refldm": 1})
    else:
        schedule = refldm_schedule("sample")
        net, loss = mini_unet(), ReferenceLoss(vqgan, schedule, drop_lq=0.0, repeats=2, balance=True)
        pairs = RestorationPairs(faces, 256, seed, MIX, grey=0.1)
    return Recipe(
        name="ldm",
        model=net,
        data=pairs,
        loss=loss,
        training=LDM[preset],
        validation=one_step_estimates(validation, preset, vqgan, schedule),
        seed=seed,
        scheduler=schedule,
    )


def refldm(
    data: Path,
    preset: Preset = "mini",
    seed: int = 0,
    first_stage: str | Path = "mini/vqgan",
    start: str | Path | None = None,
) -> Recipe[UNet]:
    """Stage 3: the same net learns to attend to references, held to the person by the identity loss.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini` or `paper`, as for `ldm`.
        seed: of data order, degradations, references and noise.
        first_stage: the VQGAN: a name of the catalogue, or a folder.
        start: the net that stage 2 left, a name of the catalogue or a folder; None begins anew.
    """
    torch.manual_seed(seed)
    vqgan = load_first_stage(first_stage)
    identity = IdentityLoss(load_identity("mini"))
    faces, validation = FaceSet.open(data, "train"), FaceSet.open(data, "val")
    if preset == "paper":
        schedule = refldm_schedule("epsilon")
        net = begin(published_unet, start, UNet)
        samples = ReferencePairs(faces, 512, seed, {"refldm": 1}, PAPER, most=5, fewest=5)
        loss = ReferenceLoss(vqgan, schedule, identity=identity)
    else:
        schedule = refldm_schedule("sample")
        net = begin(mini_unet, start, UNet)
        samples = ReferencePairs(faces, 256, seed, MIX, ALIGNED, most=2, fewest=1, known=0.25, grey=0.1)
        identity.samples = 2
        loss = ReferenceLoss(
            vqgan, schedule, drop_lq=0.0, drop_all_references=0.25, repeats=2, balance=True, identity=identity
        )
    return Recipe(
        name="refldm",
        model=net,
        data=samples,
        loss=loss,
        training=REFLDM[preset],
        validation=one_step_estimates(validation, preset, vqgan, schedule),
        seed=seed,
        scheduler=schedule,
    )


class Referenced(NamedTuple):
    """A degraded validation face, a varied reference of it, and the true one, (S, S, 3) uint8 each."""

    lq: np.ndarray
    reference: np.ndarray
    truth: np.ndarray


def one_step_estimates(
    faces: FaceSet, preset: Preset, vqgan: VQGAN, schedule: DDIMScheduler
) -> Validation[UNet, Referenced, dict[str, np.ndarray]]:
    """One denoising step from almost pure noise and from half-way, of severely degraded faces, with and without a
    reference."""
    size, limit, shown = (512, 16, 4) if preset == "paper" else (256, 32, 6)

    def attempt(net: UNet, face: Referenced) -> dict[str, np.ndarray]:
        return {
            name: denoised_face(net, vqgan, schedule, face, timestep, referenced)
            for name, (timestep, referenced) in NOISED_TO.items()
        }

    def figures(trials: Sequence[tuple[Referenced, dict[str, np.ndarray]]]) -> dict[str, float]:
        return {f"psnr {name}": mean(psnr(seen[name], face.truth) for face, seen in trials) for name in NOISED_TO}

    def row(face: Referenced, seen: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {
            "input": face.lq,
            "reference": face.reference,
            "alone t=999": seen["t=999 alone"],
            "with t=999": seen["t=999 reference"],
            "with t=400": seen["t=400 reference"],
            "truth": face.truth,
        }

    return Validation(lambda: {"": referenced_faces(faces.first(limit), size)}, attempt, figures, row, shown)


def referenced_faces(faces: FaceSet, size: int) -> list[Referenced]:
    """All faces, severely degraded, with one varied reference each; alike in every run."""
    return [
        Referenced(lq, vary(truth, ALIGNED, named_generator(file, "reference")), truth)
        for file, (lq, truth) in zip(faces.files, fixed_pairs(faces, size, SEVERE), strict=True)
    ]


def denoised_face(
    net: UNet, vqgan: VQGAN, schedule: DDIMScheduler, face: Referenced, timestep: int, referenced: bool
) -> np.ndarray:
    """One denoising step from the noised truth, given the degraded face: the predicted x0, decoded."""
    device = net.device
    nn.Module.to(vqgan, device)

    def latent(picture: np.ndarray) -> Tensor:
        return vqgan.encode(to_tensor(picture)[None].to(device) * 2 - 1).float()

    clean = latent(face.truth)
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(timestep)).to(device)
    abar = schedule.alphas_cumprod[timestep].to(device)
    noisy = abar.sqrt() * clean + (1 - abar).sqrt() * noise
    cache = net.read_references(latent(face.reference)[:, None]) if referenced else None
    times = torch.full((1,), timestep, device=device)
    predicted = net(torch.cat([noisy, latent(face.lq)], dim=1), times, cache).float()
    guess = clean_estimate(schedule, predicted, noisy, abar)
    return to_picture(vqgan.decode(guess)[0].float() / 2 + 0.5)
