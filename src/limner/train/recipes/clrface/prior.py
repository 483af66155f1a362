"""Recipe: CLR-Face's conditional score network, a latent diffusion that sees the latent of the degraded face
(docs/methods/clrface.md, eq. (5))."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import nn

from limner.data.faces import FaceSet
from limner.data.pairs import RestorationPairs
from limner.errors import WeightsError
from limner.evaluate.metrics.detail import detail_ratio
from limner.evaluate.metrics.fidelity import psnr
from limner.methods.schedules import clrface_schedule
from limner.nets.degraded_encoder import DegradedEncoder
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN
from limner.pixels import to_picture, to_tensor
from limner.train.losses.latent import Denoiser, LatentLoss
from limner.train.recipe import Batch, MiniTraining, Preset, Recipe, Training
from limner.train.recipes.clrface.encoder import MIX
from limner.train.sampling import walk
from limner.train.starting import begin, load_first_stage
from limner.train.validation import restorations, severely_degraded_faces
from limner.weights.load import load_net

TRAINING = {
    "mini": MiniTraining(steps=1_500, batch=8, lr=6e-4, final_lr=1e-5, warmup=50, clip=1.0, ema=0.995),
    "paper": Training(steps=500_000, batch=32, accumulate=4, lr=5e-5, final_lr=5e-5, warmup=10_000, ema=0.9999),
}


def published_score_net() -> UNet:
    """The decided denoiser: 115.7 M parameters, 11 attention layers."""
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
class ConditionedLoss(LatentLoss[UNet]):
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

    def denoiser(self, model: UNet, batch: Batch, generator: torch.Generator) -> Denoiser:
        nn.Module.to(self.encoder, batch["lq"].device)
        with torch.no_grad():
            condition = self.encoder(batch["lq"]).float() / self.vqgan.scale
        kept = (torch.rand(len(condition), generator=generator) >= self.drop).to(condition)
        condition = (condition * kept[:, None, None, None]).repeat(self.repeats, 1, 1, 1)
        return lambda noisy, timesteps: model(torch.cat([noisy, condition], dim=1), timesteps)


def clrface_prior(
    data: Path,
    preset: Preset = "mini",
    seed: int = 0,
    first_stage: str | Path = "mini/clrface-vqgan",
    encoder: str | Path = "mini/clrface-encoder",
    start: str | Path | None = None,
) -> Recipe[UNet]:
    """The score network's recipe.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini`, 256 px and a net that predicts the clean latent; or `paper`, 512 px and the decided settings.
        seed: of initialisation, data order, degradations and noise.
        first_stage: the VQGAN, a name of the catalogue or a folder (recipe `clrface-vqgan`).
        encoder: E_d, likewise (recipe `clrface-encoder`).
        start: a score network to go on from, a name of the catalogue or a folder; None begins anew.

    Raises:
        WeightsError: if one of them is missing, or another net.
    """
    torch.manual_seed(seed)
    vqgan, twin = load_first_stage(first_stage), load_encoder(encoder)
    faces, validation = FaceSet.open(data, "train"), FaceSet.open(data, "val")
    size = int(vqgan.config["sample_size"])
    if preset == "paper":
        schedule = clrface_schedule("epsilon")
        net, loss = begin(published_score_net, start, UNet), ConditionedLoss(vqgan, schedule, encoder=twin)
        pairs = RestorationPairs(faces, size, seed, {"gfpgan": 1})
        steps, shown = 50, 4
    else:
        schedule = clrface_schedule("sample")
        net = begin(mini_score_net, start, UNet)
        loss = ConditionedLoss(vqgan, schedule, repeats=8, balance=True, encoder=twin, drop=0.0)
        pairs = RestorationPairs(faces, size, seed, MIX, grey=0.1)
        steps, shown = 10, 6

    def restored(net: UNet, lq: np.ndarray) -> np.ndarray:
        return sampled(net, vqgan, twin, schedule, lq, steps)

    return Recipe(
        name="clrface-prior",
        model=net,
        data=pairs,
        loss=loss,
        training=TRAINING[preset],
        validation=restorations(
            lambda: severely_degraded_faces(validation.first(16), size),
            restored,
            {f"psnr {steps} steps": psnr, "detail": detail_ratio},
            heading=f"{steps} steps",
            shown=shown,
        ),
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


def sampled(
    net: UNet, vqgan: VQGAN, encoder: DegradedEncoder, schedule: DDIMScheduler, lq: np.ndarray, steps: int
) -> np.ndarray:
    """One face, (S, S, 3) uint8 to the same, restored without guidance."""
    for part in (vqgan, encoder):
        nn.Module.to(part, net.device)
    condition = encoder(to_tensor(lq)[None].to(net.device)).float() / vqgan.scale
    x = torch.randn(condition.shape, generator=torch.Generator().manual_seed(0)).to(net.device)
    x = walk(schedule, x, steps, lambda x, times: net(torch.cat([x, condition], dim=1), times).float())
    return to_picture(vqgan.decode(x)[0].float() / 2 + 0.5)
