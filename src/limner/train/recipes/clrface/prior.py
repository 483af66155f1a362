"""Recipe: CLR-Face's conditional score network, a latent diffusion beside the latent of the degraded face (section 3 of
its notes, S3)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import numpy as np
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import Tensor, nn

from limner.data.faces import FaceSet
from limner.data.pairs import RestorationPairs
from limner.errors import WeightsError
from limner.evaluate.metrics import detail_ratio, psnr
from limner.evaluate.report import contact_sheet
from limner.methods.schedules import clrface_schedule
from limner.nets.degraded_encoder import DegradedEncoder
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN
from limner.pixels import to_picture, to_tensor
from limner.train.fixed_faces import FixedFaces
from limner.train.losses.latent import Denoiser, LatentLoss
from limner.train.recipe import Batch, Recipe
from limner.train.recipes.clrface.encoder import MIX
from limner.train.recipes.refldm.refldm import begin, load_first_stage
from limner.weights.load import load_net


def published_score_net() -> UNet:
    """The decided denoiser: 115.7 M parameters, 11 attention layers (section 2, row 5)."""
    return UNet(
        sample_size=128,
        in_channels=6,
        out_channels=3,
        width=160,
        multipliers=(1, 2, 2, 4),
        depths=(2, 2, 2, 2),
        attention_levels=(2, 3),
        head_channels=32,
        scale_shift=False,
    )


def mini_score_net() -> UNet:
    """The denoiser that a CPU can train: 2 x 2 positions of the latent are one, few channels where there are many
    positions, no normalisation, and attention that knows places."""
    return UNet(
        sample_size=64,
        in_channels=6,
        out_channels=3,
        width=32,
        multipliers=(2, 4, 5),
        depths=(2, 1, 1),
        attention_levels=(1, 2),
        head_channels=32,
        scale_shift=False,
        groups=0,
        patch_size=2,
        input_skip=True,
        attention_positions=True,
    )


@dataclass(kw_only=True)
class ConditionedLoss(LatentLoss):
    """As `LatentLoss`, beside z_d.

    Attributes:
        encoder: E_d, frozen.
        drop: chance, for each sample, that z_d is zeros.
    """

    encoder: DegradedEncoder
    drop: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        self.encoder.eval().requires_grad_(False)

    def denoiser(self, model: nn.Module, batch: Batch, generator: torch.Generator) -> Denoiser:
        nn.Module.to(self.encoder, batch["lq"].device)
        with torch.no_grad():
            condition = self.encoder(batch["lq"]).float() / self.vqgan.scale
        kept = (torch.rand(len(condition), generator=generator) >= self.drop).to(condition)
        condition = (condition * kept[:, None, None, None]).repeat(self.looks, 1, 1, 1)
        return lambda noisy, timesteps: model(torch.cat([noisy, condition], dim=1), timesteps)


def clrface_prior(
    data: Path,
    preset: Literal["mini", "paper"] = "mini",
    seed: int = 0,
    first_stage: str | Path = "mini/clrface-vqgan",
    encoder: str | Path = "mini/clrface-encoder",
    start: str | Path | None = None,
) -> Recipe:
    """The score network's recipe.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini`, 256 px and a net that predicts the clean latent; or `paper`, 512 px and the decided settings.
        seed: of initialisation, data order, degradations and noise.
        first_stage: the VQGAN, a name of the catalogue or a folder (recipe `clrface-vqgan`).
        encoder: E_d, likewise (recipe `clrface-encoder`).
        start: a score network to go on from, a folder; None begins anew.

    Raises:
        WeightsError: if one of them is missing, or another net.
    """
    torch.manual_seed(seed)
    vqgan, twin = load_first_stage(first_stage), load_encoder(encoder)
    faces, validation = FaceSet.open(data, "train"), FaceSet.open(data, "val")
    size = int(vqgan.config["sample_size"])
    if preset == "paper":
        schedule = clrface_schedule("epsilon")
        return Recipe(
            name="clrface-prior",
            model=begin(published_score_net, start),
            data=RestorationPairs(faces, size, seed, {"gfpgan": 1}),
            loss=ConditionedLoss(vqgan, schedule, encoder=twin),
            steps=500_000,
            batch=32,
            accumulate=4,
            lr=5e-5,
            final_lr=5e-5,
            warmup=10_000,
            ema=0.9999,
            validate=Measure(validation, size, 16, vqgan=vqgan, encoder=twin, schedule=schedule, steps=50),
            preview=Preview(validation, size, 4, vqgan=vqgan, encoder=twin, schedule=schedule, steps=50),
            seed=seed,
            scheduler=schedule,
        )
    schedule = clrface_schedule("sample")
    return Recipe(
        name="clrface-prior",
        model=begin(mini_score_net, start),
        data=RestorationPairs(faces, size, seed, MIX, grey=0.1),
        loss=ConditionedLoss(vqgan, schedule, looks=8, balance=True, encoder=twin, drop=0.0),
        steps=1500,
        batch=8,
        lr=6e-4,
        final_lr=1e-5,
        warmup=50,
        betas=(0.9, 0.99),
        clip=1.0,
        ema=0.995,
        precision="bf16",
        export="fp16",
        validate=Measure(validation, size, 16, vqgan=vqgan, encoder=twin, schedule=schedule, steps=10),
        preview=Preview(validation, size, 6, vqgan=vqgan, encoder=twin, schedule=schedule, steps=10),
        seed=seed,
        scheduler=schedule,
    )


def load_encoder(source: str | Path) -> DegradedEncoder:
    """E_d.

    Raises:
        WeightsError: if there is none, or it is another net.
    """
    net = load_net(source)
    if not isinstance(net, DegradedEncoder):
        raise WeightsError(f"{source} holds another net than a DegradedEncoder: see `limner train clrface-encoder`.")
    return net


@dataclass(kw_only=True)
class _Restoring(FixedFaces):
    """And how to restore them, without guidance."""

    vqgan: VQGAN
    encoder: DegradedEncoder
    schedule: DDIMScheduler
    steps: int

    def restore(self, model: nn.Module, lq: np.ndarray) -> np.ndarray:
        """One face, (S, S, 3) uint8 to the same."""
        net = cast(UNet, getattr(model, "module", model))
        for part in (self.vqgan, self.encoder):
            nn.Module.to(part, net.device)
        condition = self.encoder(to_tensor(lq)[None].to(net.device)).float() / self.vqgan.scale
        x = torch.randn(condition.shape, generator=torch.Generator().manual_seed(0)).to(net.device)
        schedule = cast(DDIMScheduler, DDIMScheduler.from_config(self.schedule.config))
        schedule.set_timesteps(self.steps)
        for t in schedule.timesteps:
            level = torch.full((1,), int(t), device=net.device)
            predicted = net(torch.cat([x, condition], dim=1), level).float()
            x = cast(Tensor, schedule.step(predicted, int(t), x, return_dict=False)[0])
        return to_picture(self.vqgan.decode(x)[0].float() / 2 + 0.5)


class Measure(_Restoring):
    """PSNR and detail of severely degraded validation faces, restored without guidance."""

    def __call__(self, model: nn.Module) -> dict[str, float]:
        pairs = [(self.restore(model, lq), truth) for lq, truth in self.pairs("ffhq-ref-severe")]
        return {
            f"psnr {self.steps} steps": float(np.mean([psnr(a, b) for a, b in pairs])),
            "detail": float(np.mean([detail_ratio(a, b) for a, b in pairs])),
        }


class Preview(_Restoring):
    """Input, restoration and truth of validation faces."""

    def __call__(self, model: nn.Module) -> np.ndarray:
        rows = [[lq, self.restore(model, lq), truth] for lq, truth in self.pairs("ffhq-ref-severe")]
        return contact_sheet(rows, ["input", f"{self.steps} steps", "truth"])
