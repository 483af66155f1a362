"""Recipe: LD-BFR's unconditional prior, a latent diffusion that has learned what faces look like (sections 3.1, 3.2 and
3.5 of its notes). It is frozen ever after: what restores is injected into it, see `injection.py`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import numpy as np
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import Tensor, nn

from limner.data.faces import FaceSet
from limner.data.pairs import Faces
from limner.errors import LimnerError
from limner.evaluate.metrics import psnr
from limner.evaluate.report import contact_sheet
from limner.methods.schedules import clean_estimate, ldbfr_schedule
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN
from limner.pixels import to_picture, to_tensor
from limner.train.losses.latent import LatentLoss
from limner.train.recipe import Recipe
from limner.train.recipes.refldm.refldm import begin, load_first_stage


def published_prior() -> UNet:
    """The latent diffusion that LD-BFR builds on (section 3.2)."""
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
    preset: Literal["mini", "paper"] = "mini",
    seed: int = 0,
    first_stage: str | Path = "mini/vqgan",
    start: str | Path | None = None,
) -> Recipe:
    """The prior's recipe.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini`, in the latent of `mini/vqgan` at 256 px, a net that predicts x0; or `paper`, the published net
            and schedule in the latent of a first stage with 3 channels (recipe `ldbfr-vqgan`). The authors took a
            published prior; our settings are those that their field trained it with.
        seed: of initialisation, data order and noise.
        first_stage: the VQGAN: a name of the catalogue, or a folder.
        start: a prior to go on from, a folder; None begins anew.

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
        return Recipe(
            name="ldbfr-prior",
            model=begin(published_prior, start),
            data=Faces(faces, 256, seed),
            loss=LatentLoss(vqgan, schedule),
            steps=635_000,
            batch=42,
            lr=8.4e-5,
            final_lr=8.4e-5,
            warmup=10_000,
            ema=0.9999,
            validate=Measure(validation, 256, vqgan, schedule),
            preview=Preview(validation, 256, vqgan, schedule),
            seed=seed,
            scheduler=schedule,
        )
    schedule = ldbfr_schedule("sample", "trailing")
    return Recipe(
        name="ldbfr-prior",
        model=begin(mini_prior, start),
        data=Faces(faces, 256, seed, grey=0.1),
        loss=LatentLoss(vqgan, schedule, looks=8, balance=True),
        steps=500,
        batch=8,
        lr=8e-4,
        final_lr=1e-5,
        warmup=50,
        betas=(0.9, 0.99),
        clip=1.0,
        ema=0.998,
        precision="bf16",
        export="fp16",
        validate=Measure(validation, 256, vqgan, schedule),
        preview=Preview(validation, 256, vqgan, schedule),
        seed=seed,
        scheduler=schedule,
    )


@dataclass
class _Noised:
    """Validation faces, and how the net denoises them."""

    faces: FaceSet
    size: int
    vqgan: VQGAN
    schedule: DDIMScheduler

    def look(self, model: nn.Module, index: int, timestep: int) -> tuple[np.ndarray, np.ndarray]:
        """One look at a noised face: the predicted x0, decoded, and the truth."""
        net = cast(UNet, getattr(model, "module", model))
        device = next(net.parameters()).device
        nn.Module.to(self.vqgan, device)
        truth = self.faces.image(index, self.size)
        clean = self.vqgan.encode(to_tensor(truth)[None].to(device) * 2 - 1).float()
        noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(index)).to(device)
        abar = self.schedule.alphas_cumprod[timestep].to(device)
        noisy = abar.sqrt() * clean + (1 - abar).sqrt() * noise
        predicted = net(noisy, torch.full((1,), timestep, device=device)).float()
        return self.picture(clean_estimate(self.schedule, predicted, noisy, abar)), truth

    def picture(self, latent: Tensor) -> np.ndarray:
        """One latent, decoded."""
        return to_picture(self.vqgan.decode(latent)[0].float() / 2 + 0.5)


class Measure(_Noised):
    """PSNR of one look at noised validation faces."""

    def __call__(self, model: nn.Module) -> dict[str, float]:
        count = min(len(self.faces), 32)
        return {
            f"psnr t={timestep}": float(np.mean([psnr(*self.look(model, index, timestep)) for index in range(count)]))
            for timestep in (100, 300, 500, 700)
        }


class Preview(_Noised):
    """Validation faces noised and denoised by one look; and faces drawn from nothing, in 50 steps."""

    def __call__(self, model: nn.Module) -> np.ndarray:
        net = cast(UNet, getattr(model, "module", model))
        drawn = self.draw(net, 4)
        rows = []
        for index in range(4):
            looks = [self.look(model, index, timestep) for timestep in (100, 300, 500)]
            rows.append([drawn[index], *(picture for picture, _ in looks), looks[0][1]])
        return contact_sheet(rows, ["from nothing", "x0 at t=100", "x0 at t=300", "x0 at t=500", "truth"])

    def draw(self, net: UNet, count: int) -> list[np.ndarray]:
        """Faces that are nobody's."""
        device = next(net.parameters()).device
        side, channels = net.config["sample_size"], net.config["in_channels"]
        x = torch.randn(count, channels, side, side, generator=torch.Generator().manual_seed(0)).to(device)
        schedule = cast(DDIMScheduler, DDIMScheduler.from_config(self.schedule.config))
        schedule.set_timesteps(50)
        for t in schedule.timesteps:
            predicted = net(x, torch.full((count,), int(t), device=device)).float()
            x = cast(Tensor, schedule.step(predicted, int(t), x, return_dict=False)[0])
        return [self.picture(one[None]) for one in x]
