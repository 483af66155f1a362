"""Recipe: CLR-Face's score network, made sharp.

A net that learns nothing but squared errors answers with the mean of all that a degraded face may have been, which is
smooth. So half of what it is shown here are noised latents of degraded faces, smooth as a chain's own guesses are, and
a discriminator asks of every look, decoded, the sharpness of a photograph.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import torch
from torch import Tensor, nn

from limner.data.faces import FaceSet
from limner.data.pairs import RestorationPairs
from limner.errors import WeightsError
from limner.methods.schedules import clean_estimate, clrface_schedule
from limner.nets.discriminator import PatchDiscriminator
from limner.nets.unet import UNet
from limner.train.adversary import AdversarialLoss, Adversary
from limner.train.clrface_encoder import MIX
from limner.train.clrface_prior import ConditionedLoss, Measure, Preview, load_encoder
from limner.train.recipe import Batch, Recipe
from limner.train.refldm import load_first_stage
from limner.train.vqgan import Difference, root_mse
from limner.weights.load import load_net

WINDOW = 40
"""Side of the windows of a latent that are decoded and judged."""


@dataclass(kw_only=True)
class SharpConditionedLoss(AdversarialLoss, ConditionedLoss):
    """reconstruction(G(z_0), x) on windows + mean (z_0 - E(x))^2 + adversarial term, z_0 the guess from the noised
    latent of the clean face, or for half of the faces from z_d noised.

    Attributes:
        reconstruction: compares pictures in [-1, 1].
        adversary: the adversarial term; its discriminator learns from the first step on.
    """

    reconstruction: Difference
    adversary: Adversary

    def __call__(self, model: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        image, device = batch["image"], batch["image"].device
        for part in (self.vqgan, self.encoder):
            nn.Module.to(part, device)
        clean = self.encode(image)
        with torch.no_grad():
            condition = self.encoder(batch["lq"]).float() / self.vqgan.scale
        estimated = (torch.rand(len(clean), generator=generator) < 0.5).to(device)
        entry = torch.where(estimated[:, None, None, None], condition, clean)
        timesteps = torch.randint(0, len(self.scheduler.alphas_cumprod), (len(clean),), generator=generator)
        abar = self.scheduler.alphas_cumprod[timesteps].to(device)[:, None, None, None]
        noise = torch.randn(clean.shape, generator=generator).to(device)
        noisy = abar.sqrt() * entry + (1 - abar).sqrt() * noise
        predicted = model(torch.cat([noisy, condition], dim=1), timesteps.to(device)).float()
        guess = clean_estimate(self.scheduler, predicted, noisy, abar)
        y, x = torch.randint(0, clean.shape[-1] - WINDOW + 1, (2,), generator=generator).tolist()
        times = self.vqgan.factor
        truth = image[:, :, y * times : (y + WINDOW) * times, x * times : (x + WINDOW) * times] * 2 - 1
        made = self.vqgan.decode(guess[:, :, y : y + WINDOW, x : x + WINDOW]).float()
        loss = self.reconstruction(made, truth) + (guess - clean).square().mean()
        self.adversary.learn(truth, made.detach())
        if self.adversary.active(self.step):
            net = cast(UNet, getattr(model, "module", model))
            loss = loss + self.adversary.fool(made, loss, at=net.head.weight)
        self.step += 1
        return loss


def clrface_prior_sharp(
    data: Path,
    preset: Literal["mini", "paper"] = "mini",
    seed: int = 0,
    first_stage: str | Path = "mini/clrface-vqgan",
    encoder: str | Path = "mini/clrface-encoder",
    start: str | Path = "mini/clrface-prior",
) -> Recipe:
    """The recipe.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini`; or `paper`, limner's choice of settings for a larger score network.
        seed: of data order, degradations and noise.
        first_stage: the VQGAN, a name of the catalogue or a folder (recipe `clrface-vqgan`).
        encoder: E_d, likewise (recipe `clrface-encoder`).
        start: the score network that is tuned, likewise.

    Raises:
        WeightsError: if one of them is missing, or another net.
    """
    torch.manual_seed(seed)
    vqgan, twin, unet = load_first_stage(first_stage), load_encoder(encoder), load_net(start)
    if not isinstance(unet, UNet):
        raise WeightsError(f"{start} holds another net than a UNet: train one with `limner train clrface-prior`.")
    faces, validation = FaceSet.open(data, "train"), FaceSet.open(data, "val")
    size, paper = int(vqgan.config["sample_size"]), preset == "paper"
    schedule = clrface_schedule("epsilon" if paper else "sample")
    adversary = Adversary(100, 0.8, PatchDiscriminator(width=64 if paper else 32), lr=2e-4)
    loss = SharpConditionedLoss(vqgan, schedule, encoder=twin, reconstruction=root_mse, adversary=adversary)
    measured = {"vqgan": vqgan, "encoder": twin, "schedule": schedule, "steps": 50 if paper else 4}
    return Recipe(
        name="clrface-prior-sharp",
        model=unet,
        data=RestorationPairs(faces, size, seed, {"gfpgan": 1} if paper else MIX, grey=0.0 if paper else 0.1),
        loss=loss,
        memory=loss,
        steps=20_000 if paper else 1_500,
        batch=16 if paper else 8,
        lr=5e-5 if paper else 3e-4,
        final_lr=1e-5,
        warmup=50,
        betas=(0.9, 0.99),
        clip=5.0,
        ema=0.998,
        precision="fp32" if paper else "bf16",
        export="fp32" if paper else "fp16",
        validate=Measure(validation, size, 16, **measured),
        preview=Preview(validation, size, 6, **measured),
        seed=seed,
        scheduler=schedule,
    )
