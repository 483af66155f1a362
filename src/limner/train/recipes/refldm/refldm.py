"""Recipes: ReF-LDM's latent diffusion, first without references (`ldm`), then with them (`refldm`); section 5 of its
notes. The first stage is the recipe `vqgan`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

import numpy as np
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import Tensor, nn

from limner.data.augment import ALIGNED, PAPER, vary
from limner.data.faces import FaceSet
from limner.data.pairs import RestorationPairs, fixed_pairs, named_generator
from limner.data.reference_pairs import ReferencePairs
from limner.errors import WeightsError
from limner.evaluate.metrics import psnr
from limner.evaluate.report import contact_sheet
from limner.methods.schedules import clean_estimate, refldm_schedule
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN
from limner.pixels import to_picture, to_tensor
from limner.train.losses.identity import IdentityLoss
from limner.train.losses.reference import ReferenceLoss
from limner.train.recipe import Recipe
from limner.weights.load import load_identity, load_net

Preset = Literal["mini", "paper"]
MIX: Mapping[str, float] = {"ffhq-ref-severe": 6, "ffhq-ref-moderate": 3, "refldm": 1, "old-print": 1}


def published_unet() -> UNet:
    """ReF-LDM's denoiser (section 2.2)."""
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


def ldm(data: Path, preset: Preset = "mini", seed: int = 0, first_stage: str | Path = "mini/vqgan") -> Recipe:
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
        return Recipe(
            name="ldm",
            model=published_unet(),
            data=RestorationPairs(faces, 512, seed, {"refldm": 1}),
            loss=ReferenceLoss(vqgan, schedule),
            steps=500_000,
            batch=40,
            accumulate=2,
            lr=5e-5,
            final_lr=5e-5,
            ema=0.9999,
            validate=Measure(validation, 512, 16, vqgan, schedule),
            preview=Preview(validation, 512, 4, vqgan, schedule),
            seed=seed,
            scheduler=schedule,
        )
    schedule = refldm_schedule("sample")
    return Recipe(
        name="ldm",
        model=mini_unet(),
        data=RestorationPairs(faces, 256, seed, MIX, grey=0.1),
        loss=ReferenceLoss(vqgan, schedule, drop_lq=0.0, looks=2, balance=True),
        steps=500,
        batch=16,
        lr=8e-4,
        final_lr=4e-4,
        warmup=100,
        betas=(0.9, 0.99),
        clip=1.0,
        ema=0.998,
        precision="bf16",
        export="fp16",
        validate=Measure(validation, 256, 32, vqgan, schedule),
        preview=Preview(validation, 256, 6, vqgan, schedule),
        seed=seed,
        scheduler=schedule,
    )


def refldm(
    data: Path,
    preset: Preset = "mini",
    seed: int = 0,
    first_stage: str | Path = "mini/vqgan",
    start: str | Path | None = None,
) -> Recipe:
    """Stage 3: the same net learns to look at references, held to the person by the identity loss.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini` or `paper`, as for `ldm`.
        seed: of data order, degradations, references and noise.
        first_stage: the VQGAN: a name of the catalogue, or a folder.
        start: the net that stage 2 left, a folder; None begins anew.
    """
    torch.manual_seed(seed)
    vqgan = load_first_stage(first_stage)
    identity = IdentityLoss(load_identity("mini"))
    faces, validation = FaceSet.open(data, "train"), FaceSet.open(data, "val")
    if preset == "paper":
        schedule = refldm_schedule("epsilon")
        return Recipe(
            name="refldm",
            model=begin(published_unet, start),
            data=ReferencePairs(faces, 512, seed, {"refldm": 1}, PAPER, most=5, fewest=5),
            loss=ReferenceLoss(vqgan, schedule, identity=identity),
            steps=150_000,
            batch=8,
            accumulate=2,
            lr=5e-5,
            final_lr=5e-5,
            warmup=10_000,
            ema=0.9999,
            validate=Measure(validation, 512, 16, vqgan, schedule),
            preview=Preview(validation, 512, 4, vqgan, schedule),
            seed=seed,
            scheduler=schedule,
        )
    schedule = refldm_schedule("sample")
    identity.samples = 2
    return Recipe(
        name="refldm",
        model=begin(mini_unet, start),
        data=ReferencePairs(faces, 256, seed, MIX, ALIGNED, most=2, fewest=1, known=0.25, grey=0.1),
        loss=ReferenceLoss(
            vqgan, schedule, drop_lq=0.0, drop_all_references=0.25, looks=2, balance=True, identity=identity
        ),
        steps=750,
        batch=16,
        lr=6e-4,
        final_lr=6e-6,
        warmup=50,
        betas=(0.9, 0.99),
        clip=1.0,
        ema=0.998,
        precision="bf16",
        export="fp16",
        validate=Measure(validation, 256, 32, vqgan, schedule),
        preview=Preview(validation, 256, 6, vqgan, schedule),
        seed=seed,
        scheduler=schedule,
    )


def load_first_stage(source: str | Path) -> VQGAN:
    """The frozen VQGAN.

    Raises:
        WeightsError: if there is none, or it is another net.
    """
    net = load_net(source)
    if not isinstance(net, VQGAN):
        raise WeightsError(f"{source} holds another net than a VQGAN: train one with `limner train vqgan`.")
    return net


def begin(make: Callable[[], UNet], start: str | Path | None) -> UNet:
    """A new net, or the one saved in a folder."""
    if start is None:
        return make()
    net = load_net(Path(start))
    if not isinstance(net, UNet):
        raise WeightsError(f"{start} holds another net than a UNet: give those that another run left.")
    return net


@dataclass
class _Fixed:
    """Fixed degraded validation faces with one varied reference each, made when first needed, and how to restore
    them."""

    faces: FaceSet
    size: int
    limit: int
    vqgan: VQGAN
    schedule: DDIMScheduler
    made: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)

    def triples(self) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """(degraded, reference, truth)."""
        if not self.made:
            few = self.faces.first(self.limit)
            for file, (lq, truth) in zip(few.files, fixed_pairs(few, self.size, "ffhq-ref-severe"), strict=True):
                self.made.append((lq, vary(truth, ALIGNED, named_generator(file, "reference")), truth))
        return self.made

    def latent(self, picture: np.ndarray, device: torch.device) -> Tensor:
        return self.vqgan.encode(to_tensor(picture)[None].to(device) * 2 - 1).float()

    def look(
        self, model: nn.Module, lq: np.ndarray, truth: np.ndarray, reference: np.ndarray | None, timestep: int
    ) -> np.ndarray:
        """One look at the noised truth beside the degraded face: the predicted x0, decoded."""
        net = cast(UNet, getattr(model, "module", model))
        device = next(net.parameters()).device
        nn.Module.to(self.vqgan, device)
        clean = self.latent(truth, device)
        noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(timestep)).to(device)
        abar = self.schedule.alphas_cumprod[timestep].to(device)
        noisy = abar.sqrt() * clean + (1 - abar).sqrt() * noise
        cache = None if reference is None else net.read_references(self.latent(reference, device)[:, None])
        times = torch.full((1,), timestep, device=device)
        predicted = net(torch.cat([noisy, self.latent(lq, device)], dim=1), times, cache).float()
        guess = clean_estimate(self.schedule, predicted, noisy, abar)
        return to_picture(self.vqgan.decode(guess)[0].float() / 2 + 0.5)


class Measure(_Fixed):
    """PSNR of one look at validation faces from almost pure noise and from half-way, with and without a reference."""

    def __call__(self, model: nn.Module) -> dict[str, float]:
        figures = {}
        for timestep in (999, 400):
            for name, given in (("alone", False), ("reference", True)):
                scores = [
                    psnr(self.look(model, lq, truth, reference if given else None, timestep), truth)
                    for lq, reference, truth in self.triples()
                ]
                figures[f"psnr t={timestep} {name}"] = float(np.mean(scores))
        return figures


class Preview(_Fixed):
    """Validation faces after one look from almost pure noise, and from half-way."""

    def __call__(self, model: nn.Module) -> np.ndarray:
        rows = [
            [
                lq,
                reference,
                self.look(model, lq, truth, None, 999),
                self.look(model, lq, truth, reference, 999),
                self.look(model, lq, truth, reference, 400),
                truth,
            ]
            for lq, reference, truth in self.triples()
        ]
        return contact_sheet(rows, ["input", "reference", "alone t=999", "with t=999", "with t=400", "truth"])
