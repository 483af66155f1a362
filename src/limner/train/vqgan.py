"""Recipe: the VQGAN, first stage of the latent methods (ReF-LDM, section 5 of its notes; Esser et al. 2021).

Reconstruction, codebook and, from some step on, an adversarial term whose weight follows the ratio of the gradients
at the decoder's last layer. A perceptual term is whatever function of two pictures it is given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.data.faces import FaceSet
from limner.data.pairs import Faces
from limner.evaluate.metrics import psnr
from limner.evaluate.report import contact_sheet
from limner.nets.discriminator import PatchDiscriminator
from limner.nets.vqgan import VQGAN, VQGANOutput
from limner.pixels import to_picture, to_tensor
from limner.train.distributed import average_gradients, same_everywhere
from limner.train.perceptual import estimator_features
from limner.train.recipe import Batch, Recipe

Difference = Callable[[Tensor, Tensor], Tensor]
"""(reconstruction, truth), (B, 3, H, W) in [-1, 1] each, to a scalar."""


def l1(reconstruction: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute error, the published reconstruction term."""
    return (reconstruction - truth).abs().mean()


def root_mse(reconstruction: Tensor, truth: Tensor) -> Tensor:
    """Mean of each picture's root mean squared error, in tens of grey levels: about 1, and every picture's gradient
    of one size."""
    error = (reconstruction - truth).square().mean(dim=(1, 2, 3))
    return 12.75 * (error + 1e-5).sqrt().mean()


@dataclass
class Objective:
    """The VQGAN's loss, with what it has to remember: the step, the codes in use, the discriminator.

    Attributes:
        reconstruction: compares reconstruction and truth.
        perceptual: as well, added; None for none.
        codebook: weight of the codebook terms.
        commitment: share of the term that pulls latents to codes.
        legacy: put that share on the term that pulls codes to latents instead, as the published net was trained.
        quantise_from: steps before, the decoder sees the latent itself; at this step the codes are drawn from latents.
        revive_every, revive_until: codes that no latent chose for so many steps are drawn anew, up to a step; 0: never.
        adversarial_from: first step with the adversarial term; None for never.
        adversarial: factor on its adaptive weight.
        discriminator: judges patches.
        discriminator_lr: of its AdamW.
    """

    reconstruction: Difference
    perceptual: Difference | None = None
    codebook: float = 1.0
    commitment: float = 0.25
    legacy: bool = False
    quantise_from: int = 0
    revive_every: int = 0
    revive_until: int = 0
    adversarial_from: int | None = None
    adversarial: float = 0.8
    discriminator: PatchDiscriminator = field(default_factory=PatchDiscriminator)
    discriminator_lr: float = 1e-4

    def __post_init__(self) -> None:
        self.step = 0
        self.unused: Tensor | None = None
        self.optimizer = torch.optim.AdamW(
            self.discriminator.parameters(), self.discriminator_lr, betas=(0.5, 0.9), weight_decay=0.0
        )

    def __call__(self, model: nn.Module, batch: Batch, generator: torch.Generator) -> Tensor:
        image = batch["image"] * 2 - 1
        net = cast(VQGAN, getattr(model, "module", model))
        quantised = self.step >= self.quantise_from
        out: VQGANOutput = model(image, quantise=quantised)
        rebuilt = out.image.float()
        loss = self.reconstruction(rebuilt, image)
        if self.perceptual:
            loss = loss + self.perceptual(rebuilt, image)
        if self.adversarial_from is not None and self.step >= self.adversarial_from:
            self.train_discriminator(image, rebuilt.detach())
            loss = loss + self.fool(net, rebuilt, loss)
        codes, latents = self.commitment_terms(out)
        loss = loss + (self.codebook if quantised else 0.0) * (codes + latents)
        self.look_after_codes(net, out, generator)
        self.step += 1
        return loss

    def commitment_terms(self, out: VQGANOutput) -> tuple[Tensor, Tensor]:
        """What pulls codes to latents, and latents to codes."""
        codes = (out.codes.float() - out.latent.detach()).square().mean()
        latents = (out.codes.detach().float() - out.latent).square().mean()
        return (self.commitment * codes, latents) if self.legacy else (codes, self.commitment * latents)

    def fool(self, net: VQGAN, rebuilt: Tensor, reconstruction: Tensor) -> Tensor:
        """The adversarial term, weighted so that it moves the last layer as much as the reconstruction does."""
        self.discriminator.requires_grad_(False)
        term = -self.discriminator(rebuilt).float().mean()
        last = net.decoder.head.weight
        pulls = [torch.autograd.grad(loss, last, retain_graph=True)[0].norm() for loss in (reconstruction, term)]
        weight = (pulls[0] / (pulls[1] + 1e-4)).clamp(0, 1e4).detach()
        self.discriminator.requires_grad_(True)
        return self.adversarial * weight * term

    def train_discriminator(self, real: Tensor, fake: Tensor) -> None:
        """One step on the hinge loss."""
        self.discriminator.to(real.device)
        judged_real, judged_fake = (self.discriminator(picture).float() for picture in (real, fake))
        loss = 0.5 * (F.relu(1 - judged_real).mean() + F.relu(1 + judged_fake).mean())
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        average_gradients(self.discriminator)
        self.optimizer.step()

    @torch.no_grad()
    def look_after_codes(self, net: VQGAN, out: VQGANOutput, generator: torch.Generator) -> None:
        """Draws the first codes from latents, and later those anew that nothing chooses."""
        book = net.codebook.weight
        if self.unused is None:
            self.unused = torch.zeros(len(book), dtype=torch.long)
        self.unused += 1
        self.unused[out.indices.unique().cpu()] = 0
        starting = self.step + 1 == self.quantise_from
        due = self.revive_every and self.quantise_from <= self.step < self.revive_until
        if starting:
            dead = torch.arange(len(book))
        elif due and self.step % self.revive_every == 0:
            dead = (self.unused >= self.revive_every).nonzero()[:, 0]
        else:
            return
        latents = out.latent.permute(0, 2, 3, 1).reshape(-1, out.latent.shape[1])
        # of several processes the first one's pictures decide, which codes are unused and what they become
        picks = torch.randint(len(latents), (len(dead),), generator=generator)
        fresh = book.clone()
        fresh[dead] = latents[picks.to(latents.device)].to(book.dtype)
        book.copy_(same_everywhere(fresh))
        self.unused.zero_()

    def state_dict(self) -> dict[str, Any]:
        """All that a resumed run needs."""
        return {
            "step": self.step,
            "unused": self.unused,
            "discriminator": self.discriminator.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The way back from `state_dict`."""
        self.step, self.unused = state["step"], state["unused"]
        self.discriminator.load_state_dict(state["discriminator"])
        self.optimizer.load_state_dict(state["optimizer"])


def vqgan(data: Path, preset: Literal["mini", "paper"] = "mini", seed: int = 0) -> Recipe:
    """The VQGAN's recipe.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini`, 256 px, sized for a CPU; or `paper`, 512 px with the published settings, but for the perceptual
            term: LPIPS on VGG-16 needs weights that limner doesn't ship, so features of a net of its own stand in.
        seed: of initialisation, data order and codes.
    """
    torch.manual_seed(seed)
    faces = FaceSet.open(data, "train")
    validation = FaceSet.open(data, "val")
    if preset == "paper":
        objective = Objective(l1, estimator_features(), legacy=True, adversarial_from=30_000)
        return Recipe(
            name="vqgan",
            model=VQGAN(),
            data=Faces(faces, 512, seed),
            loss=objective,
            memory=objective,
            steps=200_000,
            batch=32,
            accumulate=4,
            lr=1e-4,
            final_lr=1e-6,
            warmup=10_000,
            betas=(0.5, 0.9),
            validate=Measure(validation, 512, 64),
            preview=Preview(validation, 512, 8),
            seed=seed,
        )
    objective = Objective(
        root_mse,
        quantise_from=300,
        revive_every=50,
        revive_until=2_000,
        adversarial_from=1_900,
        adversarial=0.4,
        discriminator=PatchDiscriminator(width=32),
        discriminator_lr=3e-4,
    )
    return Recipe(
        name="vqgan",
        model=VQGAN(
            sample_size=256,
            width=96,
            multipliers=(1, 2),
            middle=False,
            groups=0,
            patch_size=4,
            normalise_latent=True,
        ),
        data=Faces(faces, 256, seed, grey=0.1),
        loss=objective,
        memory=objective,
        steps=2_600,
        batch=8,
        lr=1e-3,
        final_lr=1e-5,
        warmup=100,
        betas=(0.9, 0.99),
        clip=5.0,
        ema=0.998,
        precision="bf16",
        export="fp16",
        validate=Measure(validation, 256, 64),
        preview=Preview(validation, 256, 8),
        seed=seed,
    )


def rebuild(model: nn.Module, picture: np.ndarray) -> tuple[np.ndarray, Tensor]:
    """One face, (S, S, 3) uint8, through encoder, quantiser and decoder: the picture and its indices."""
    device = next(model.parameters()).device
    out: VQGANOutput = model(to_tensor(picture)[None].to(device) * 2 - 1)
    return to_picture(out.image[0].float() / 2 + 0.5), out.indices


@dataclass
class Measure:
    """PSNR of encode-decode on the validation faces, and the share of codes they use."""

    faces: FaceSet
    size: int
    limit: int

    def __call__(self, model: nn.Module) -> dict[str, float]:
        pictures = [self.faces.image(i, self.size) for i in range(min(self.limit, len(self.faces)))]
        rebuilt = [rebuild(model, picture) for picture in pictures]
        used = torch.cat([indices.flatten() for _, indices in rebuilt]).unique()
        return {
            "psnr": float(np.mean([psnr(a, b) for (a, _), b in zip(rebuilt, pictures, strict=True)])),
            "codes used": len(used) / cast(VQGAN, model).config["codebook_size"],
        }


@dataclass
class Preview:
    """A contact sheet of validation faces, before and after."""

    faces: FaceSet
    size: int
    limit: int

    def __call__(self, model: nn.Module) -> np.ndarray:
        pictures = [self.faces.image(i, self.size) for i in range(min(self.limit, len(self.faces)))]
        return contact_sheet([[rebuild(model, one)[0], one] for one in pictures], ["rebuilt", "truth"])
