"""Recipe: LD-BFR's injection, which shows the prior what stage A restored (docs/methods/ldbfr.md, eq. (8) to (12)).
Stage A and the prior are frozen; nothing but the new blocks learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from limner.data.faces import FaceSet
from limner.data.pairs import RestorationPairs
from limner.errors import LimnerError, WeightsError
from limner.evaluate.metrics.fidelity import psnr
from limner.methods.ldbfr import LDBFRPipeline
from limner.methods.schedules import ldbfr_schedule
from limner.nets.injection import Injection
from limner.nets.stage_a import StageA
from limner.nets.unet import UNet
from limner.pixels import to_picture, to_tensor
from limner.train.losses.latent import Denoiser, LatentLoss
from limner.train.recipe import Batch, MiniTraining, Preset, Recipe, Training
from limner.train.starting import load_first_stage
from limner.train.validation import Pair, Validation, mean, severely_degraded_faces
from limner.weights.load import load_net

LAST_TIMESTEP = 500
"""The embedded weights enter the chain below this, at the noised latent of what stage A restored: to make a face out of
nothing they have seen too few."""
MIX = {"ffhq-ref-severe": 5, "ffhq-ref-moderate": 3, "gfpgan": 2}
TRAINING = {
    "mini": MiniTraining(steps=500, batch=8, lr=1e-3, final_lr=1e-5, warmup=30, clip=1.0),
    "paper": Training(
        steps=200_000,
        batch=32,
        accumulate=4,
        lr=5e-5,
        final_lr=5e-5,
        warmup=10_000,
        weight_decay=0.01,
        ema=0.9999,
    ),
}


@dataclass(kw_only=True)
class InjectionLoss(LatentLoss[Injection]):
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

    def denoiser(self, model: Injection, batch: Batch, generator: torch.Generator) -> Denoiser:
        for net in (self.stage_a, self.prior):
            nn.Module.to(net, batch["lq"].device)
        with torch.no_grad():
            feature = self.stage_a(batch["lq"]).feature.repeat(self.repeats, 1, 1, 1)
        return lambda noisy, timesteps: model(self.prior, noisy, timesteps, feature)


def ldbfr_injection(
    data: Path,
    preset: Preset = "mini",
    seed: int = 0,
    first_stage: str | Path = "mini/vqgan",
    stage_a: str | Path = "mini/ldbfr-stage-a",
    prior: str | Path = "mini/ldbfr-prior",
) -> Recipe[Injection]:
    """The recipe of the injection.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini`, 256 px; or `paper`: after the self-attention of the second and third level, 200,000 steps (the
            length and the learning rate are ours; the authors' last setting, 1.6e-6, is called a fine-tuning).
        seed: of initialisation, data order, degradations and noise.
        first_stage: the VQGAN of the latents: a name of the catalogue, or a folder.
        stage_a, prior: likewise what the recipes `ldbfr-stage-a` and `ldbfr-prior` left.

    Raises:
        LimnerError: if the paper preset isn't given what to stand on.
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
        injection = Injection.for_unet(unet, (1, 2), channels, restoration.grid, positions=False)
        loss = InjectionLoss(vqgan, schedule, stage_a=restoration, prior=unet)
        pairs = RestorationPairs(faces, size, seed, {"gfpgan": 1})
        sampling, shown = Sampling(steps=50), 4
    else:
        size, schedule = 256, ldbfr_schedule("sample", "trailing")
        injection = Injection.for_unet(unet, (0, 1), channels, restoration.grid, positions=True)
        loss = InjectionLoss(
            vqgan, schedule, repeats=8, last=LAST_TIMESTEP, balance=True, stage_a=restoration, prior=unet
        )
        pairs = RestorationPairs(faces, size, seed, MIX, grey=0.1)
        sampling, shown = Sampling(steps=10, start=50), 6
    pipeline = LDBFRPipeline(restoration, unet, injection, vqgan, schedule)
    return Recipe(
        name="ldbfr-injection",
        model=injection,
        data=pairs,
        loss=loss,
        training=TRAINING[preset],
        validation=with_and_without(pipeline, sampling, validation.first(16), size, shown),
        seed=seed,
        scheduler=schedule,
    )


@dataclass(frozen=True)
class Sampling:
    """How validation faces are restored: evaluations of the U-Net, and the timestep at which the chain is entered."""

    steps: int
    start: int | None = None


def with_and_without(
    pipeline: LDBFRPipeline, sampling: Sampling, faces: FaceSet, size: int, shown: int
) -> Validation[Injection, Pair, dict[str, np.ndarray]]:
    """PSNR of stage A alone and of the whole on severely degraded faces."""
    ways = {"stage A": replace(sampling, steps=0), f"{sampling.steps} steps": sampling}

    def figures(trials: Sequence[tuple[Pair, dict[str, np.ndarray]]]) -> dict[str, float]:
        return {f"psnr {way}": mean(psnr(made[way], pair.truth) for pair, made in trials) for way in ways}

    return Validation(
        cases=lambda: severely_degraded_faces(faces, size),
        attempt=lambda net, pair: {way: sampled(pipeline, net, pair.lq, how) for way, how in ways.items()},
        figures=figures,
        row=lambda pair, made: {"input": pair.lq, **made, "truth": pair.truth},
        shown=shown,
    )


def sampled(pipeline: LDBFRPipeline, injection: Injection, lq: np.ndarray, sampling: Sampling) -> np.ndarray:
    """One face, (S, S, 3) uint8 to the same."""
    pipeline.injection = injection
    for part in (pipeline.stage_a, pipeline.unet, pipeline.vqgan):
        nn.Module.to(part, injection.device)
    generator = torch.Generator().manual_seed(0)
    out = pipeline(to_tensor(lq)[None], start=sampling.start, steps=sampling.steps, generator=generator)
    return to_picture(out.images[0])
