"""Recipe: LD-BFR's injection, which shows the prior what stage A restored (sections 3.4 and 3.5 of its notes). Stage A
and the prior are frozen; nothing but the new blocks learns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import numpy as np
import torch
from torch import Tensor, nn

from limner.data.faces import FaceSet
from limner.data.pairs import RestorationPairs
from limner.errors import LimnerError, WeightsError
from limner.evaluate.metrics import psnr
from limner.evaluate.report import contact_sheet
from limner.methods.ldbfr import LDBFRPipeline
from limner.methods.schedules import ldbfr_schedule
from limner.nets.injection import Injection
from limner.nets.stage_a import StageA
from limner.nets.unet import UNet
from limner.pixels import to_picture, to_tensor
from limner.train.fixed_faces import FixedFaces
from limner.train.losses.latent import Denoiser, LatentLoss
from limner.train.recipe import Batch, Recipe
from limner.train.recipes.refldm.refldm import load_first_stage
from limner.weights.load import load_net

LAST_TIMESTEP = 500
"""The embedded weights enter the chain below this, at the noised latent of what stage A restored: to make a face out of
nothing they have seen too few."""


@dataclass(kw_only=True)
class InjectionLoss(LatentLoss):
    """As `LatentLoss`, of the prior under the restored feature of the degraded face; `model` is the injection.

    Attributes:
        stage_a, prior: frozen.
    """

    stage_a: StageA
    prior: UNet

    def __post_init__(self) -> None:
        super().__post_init__()
        self.stage_a.eval().requires_grad_(False)
        self.prior.eval().requires_grad_(False)

    def denoiser(self, model: nn.Module, batch: Batch, generator: torch.Generator) -> Denoiser:
        for net in (self.stage_a, self.prior):
            nn.Module.to(net, batch["lq"].device)
        with torch.no_grad():
            feature = self.stage_a(batch["lq"]).feature.repeat(self.looks, 1, 1, 1)
        return lambda noisy, timesteps: model(self.prior, noisy, timesteps, feature)


def ldbfr_injection(
    data: Path,
    preset: Literal["mini", "paper"] = "mini",
    seed: int = 0,
    first_stage: str | Path = "mini/vqgan",
    stage_a: str | Path = "mini/ldbfr-stage-a",
    prior: str | Path = "mini/ldbfr-prior",
) -> Recipe:
    """The recipe of the injection.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini`, 256 px; or `paper`: behind the self-attention of the second and third level, 200,000 steps (the
            length and the learning rate are ours; the authors' last setting, 1.6e-6, is called a fine-tuning).
        seed: of initialisation, data order, degradations and noise.
        first_stage: the VQGAN of the latents: a name of the catalogue, or a folder.
        stage_a, prior: likewise what the recipes `ldbfr-stage-a` and `ldbfr-prior` left.

    Raises:
        LimnerError: if the paper preset isn't told what to stand on.
        WeightsError: if one of them is missing, or another net.
    """
    torch.manual_seed(seed)
    if preset == "paper" and any(str(source).startswith("mini/") for source in (first_stage, stage_a, prior)):
        raise LimnerError(
            "The preset 'paper' of ldbfr-injection can't stand on embedded weights: give --first-stage, --stage-a and "
            "--prior, which the recipes ldbfr-vqgan, ldbfr-stage-a and ldbfr-prior leave."
        )
    vqgan = load_first_stage(first_stage)
    restoration, unet = load_net(stage_a), load_net(prior)
    if not isinstance(restoration, StageA) or not isinstance(unet, UNet):
        raise WeightsError(f"{stage_a} and {prior} should hold a StageA and a UNet: see `limner train`.")
    faces, validation = FaceSet.open(data, "train"), FaceSet.open(data, "val")
    channels, size = restoration.config["latent_channels"], restoration.config["sample_size"]
    if preset == "paper":
        schedule = ldbfr_schedule("epsilon")
        injection = Injection.beside(unet, (1, 2), channels, restoration.grid, positions=False)
        pipeline = LDBFRPipeline(restoration, unet, injection, vqgan, schedule)
        return Recipe(
            name="ldbfr-injection",
            model=injection,
            data=RestorationPairs(faces, size, seed, {"gfpgan": 1}),
            loss=InjectionLoss(vqgan, schedule, stage_a=restoration, prior=unet),
            steps=200_000,
            batch=32,
            accumulate=4,
            lr=5e-5,
            final_lr=5e-5,
            warmup=10_000,
            weight_decay=0.01,
            ema=0.9999,
            validate=Measure(validation, size, 16, pipeline=pipeline, steps=50),
            preview=Preview(validation, size, 4, pipeline=pipeline, steps=50),
            seed=seed,
            scheduler=schedule,
        )
    schedule = ldbfr_schedule("sample", "trailing")
    injection = Injection.beside(unet, (0, 1), channels, restoration.grid, positions=True)
    pipeline = LDBFRPipeline(restoration, unet, injection, vqgan, schedule)
    return Recipe(
        name="ldbfr-injection",
        model=injection,
        data=RestorationPairs(faces, 256, seed, {"ffhq-ref-severe": 5, "ffhq-ref-moderate": 3, "gfpgan": 2}, grey=0.1),
        loss=InjectionLoss(vqgan, schedule, looks=8, last=LAST_TIMESTEP, balance=True, stage_a=restoration, prior=unet),
        steps=500,
        batch=8,
        lr=1e-3,
        final_lr=1e-5,
        warmup=30,
        betas=(0.9, 0.99),
        clip=1.0,
        ema=0.998,
        precision="bf16",
        export="fp16",
        validate=Measure(validation, 256, 16, pipeline=pipeline, steps=10, start=50),
        preview=Preview(validation, 256, 6, pipeline=pipeline, steps=10, start=50),
        seed=seed,
        scheduler=schedule,
    )


@dataclass(kw_only=True)
class _Restoring(FixedFaces):
    """And how to restore them."""

    pipeline: LDBFRPipeline
    steps: int
    start: int | None = None

    def restore(self, model: nn.Module, lq: np.ndarray, steps: int) -> np.ndarray:
        """One face, (S, S, 3) uint8 to the same; stage A alone for 0 steps."""
        self.pipeline.injection = cast(Injection, getattr(model, "module", model))
        for part in (self.pipeline.stage_a, self.pipeline.unet, self.pipeline.vqgan):
            nn.Module.to(part, self.pipeline.injection.device)
        generator = torch.Generator().manual_seed(0)
        images: Tensor = self.pipeline(to_tensor(lq)[None], start=self.start, steps=steps, generator=generator).images
        return to_picture(images[0])


class Measure(_Restoring):
    """PSNR of stage A and of the whole on severely degraded validation faces."""

    def __call__(self, model: nn.Module) -> dict[str, float]:
        return {
            name: float(
                np.mean([psnr(self.restore(model, lq, steps), truth) for lq, truth in self.pairs("ffhq-ref-severe")])
            )
            for name, steps in (("psnr stage A", 0), (f"psnr {self.steps} steps", self.steps))
        }


class Preview(_Restoring):
    """Input, stage A, the whole and the truth of validation faces."""

    def __call__(self, model: nn.Module) -> np.ndarray:
        rows = [
            [lq, self.restore(model, lq, 0), self.restore(model, lq, self.steps), truth]
            for lq, truth in self.pairs("ffhq-ref-severe")
        ]
        return contact_sheet(rows, ["input", "stage A", f"{self.steps} steps", "truth"])
