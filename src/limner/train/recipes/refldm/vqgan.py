"""Recipe: the VQGAN, first stage of the latent methods (docs/methods/refldm.md, eq. (2); Esser et al. 2021).

Reconstruction, codebook and, from some step on, an adversarial term whose weight follows the ratio of the gradients
at the decoder's last layer. A perceptual term is whatever function of two pictures it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from limner.data.faces import FaceSet
from limner.data.pairs import Faces
from limner.errors import WeightsError
from limner.evaluate.metrics.detail import detail_ratio
from limner.evaluate.metrics.fidelity import psnr
from limner.evaluate.metrics.perceptual import estimator_features
from limner.nets.discriminator import PatchDiscriminator
from limner.nets.vqgan import VQGAN, VQGANOutput
from limner.pixels import to_picture, to_tensor
from limner.train.distributed import same_everywhere
from limner.train.losses.adversary import AdversarialLoss, Adversary
from limner.train.recipe import Batch, MiniTraining, Preset, Recipe, Training
from limner.train.validation import Validation, mean

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
class Objective(AdversarialLoss):
    """The VQGAN's loss, with what it has to remember: the step, the codes in use, the discriminator.

    Attributes:
        reconstruction: compares reconstruction and truth.
        perceptual: as well, added; None for none.
        codebook: weight of the codebook terms.
        commitment: share of the term that pulls latents to codes.
        legacy: put that share on the term that pulls codes to latents instead, as the published net was trained.
        quantise_from: steps before, the decoder sees the latent itself; at this step the codes are drawn from latents.
        revive_every, revive_until: codes that no latent chose for so many steps are drawn anew, up to a step; 0: never.
        adversary: the adversarial term.
    """

    reconstruction: Difference
    perceptual: Difference | None = None
    codebook: float = 1.0
    commitment: float = 0.25
    legacy: bool = False
    quantise_from: int = 0
    revive_every: int = 0
    revive_until: int = 0
    adversary: Adversary = field(default_factory=Adversary)

    def __post_init__(self) -> None:
        self.unused: Tensor | None = None

    def __call__(self, model: VQGAN, batch: Batch, generator: torch.Generator) -> Tensor:
        image = batch["image"] * 2 - 1
        quantised = self.step >= self.quantise_from
        out: VQGANOutput = model(as_encoded(model, image), quantise=quantised)
        rebuilt = out.image.float()
        loss = self.reconstruction(rebuilt, image)
        if self.perceptual:
            loss = loss + self.perceptual(rebuilt, image)
        if self.adversary.active(self.step):
            self.adversary.learn(image, rebuilt.detach())
            loss = loss + self.adversary.fool(rebuilt, loss, at=model.decoder.head.weight)
        codes, latents = self.commitment_terms(out)
        loss = loss + (self.codebook if quantised else 0.0) * (codes + latents)
        self.look_after_codes(model, out, generator)
        self.step += 1
        return loss

    def commitment_terms(self, out: VQGANOutput) -> tuple[Tensor, Tensor]:
        """What pulls codes to latents, and latents to codes."""
        codes = (out.codes.float() - out.latent.detach()).square().mean()
        latents = (out.codes.detach().float() - out.latent).square().mean()
        return (self.commitment * codes, latents) if self.legacy else (codes, self.commitment * latents)

    @torch.no_grad()
    def look_after_codes(self, net: VQGAN, out: VQGANOutput, generator: torch.Generator) -> None:
        """Draws the first codes from latents, and later those anew that nothing chooses."""
        book = net.codebook.weight
        if self.unused is None or len(self.unused) != len(book):
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

    def state_dict(self) -> dict[str, Tensor]:
        """All that a resumed run needs."""
        return super().state_dict() | ({} if self.unused is None else {"unused": self.unused})

    def load_state_dict(self, state: Mapping[str, Tensor], path: Path) -> None:
        """The way back from `state_dict`; `path` is of the file, for errors."""
        super().load_state_dict(state, path)
        self.unused = state.get("unused")
        if self.unused is not None and (self.unused.ndim != 1 or self.unused.dtype != torch.long):
            raise WeightsError(
                f"{path} counts no uses of codes under unused: the state is damaged, begin the run anew."
            )


TRAINING = {
    "mini": MiniTraining(steps=2_600, batch=8, lr=1e-3, final_lr=1e-5, warmup=100),
    "paper": Training(steps=200_000, batch=32, lr=1e-4, final_lr=1e-6, warmup=10_000, accumulate=4, betas=(0.5, 0.9)),
}


def mini_vqgan() -> VQGAN:
    """The first stage that a CPU can train: two resolutions, no normalisation, no attention."""
    return VQGAN(
        sample_size=256, width=96, multipliers=(1, 2), middle=False, groups=0, patch_size=4, normalise_latent=True
    )


def vqgan(data: Path, preset: Preset = "mini", seed: int = 0) -> Recipe[VQGAN]:
    """The VQGAN's recipe.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini`, 256 px, sized for a CPU; or `paper`, 512 px with the published settings, but for the perceptual
            term: LPIPS on VGG-16 needs weights that limner doesn't ship, so features of a net of its own stand in.
        seed: of initialisation, data order and codes.
    """
    torch.manual_seed(seed)
    if preset == "paper":
        loss = Objective(l1, estimator_features(), legacy=True, adversary=Adversary(start=30_000))
        return autoencoder("vqgan", VQGAN(), data, 512, seed, loss, TRAINING["paper"])
    loss = Objective(
        root_mse,
        quantise_from=300,
        revive_every=50,
        revive_until=2_000,
        adversary=Adversary(1_900, 0.4, PatchDiscriminator(width=32), lr=3e-4),
    )
    return autoencoder("vqgan", mini_vqgan(), data, 256, seed, loss, TRAINING["mini"], grey=0.1)


def autoencoder(
    name: str, net: VQGAN, data: Path, size: int, seed: int, loss: Objective, training: Training, grey: float = 0.0
) -> Recipe[VQGAN]:
    """The recipe of any VQGAN.

    Args:
        name: of the recipe.
        net: what is trained.
        data: folder of aligned faces with its tables.
        size: side in pixels of the pictures that it gives back.
        seed: of data order and codes.
        loss: with what it remembers.
        training: how long, and by which steps.
        grey: share of faces that lose their colour.
    """
    faces, validation = FaceSet.open(data, "train"), FaceSet.open(data, "val")
    few = validation.first(64)
    return Recipe(
        name=name,
        model=net,
        data=Faces(faces, size, seed, grey=grey),
        loss=loss,
        training=training,
        validation=Validation(
            cases=lambda: {"": [few.image(index, size) for index in range(len(few))]},
            attempt=rebuild,
            figures=lambda trials: how_well_rebuilt(trials, net.config["codebook_size"]),
            row=lambda truth, rebuilt: {"rebuilt": rebuilt[0], "truth": truth},
            shown=8,
        ),
        seed=seed,
    )


def as_encoded(net: VQGAN, image: Tensor) -> Tensor:
    """The picture in the size that the encoder takes for it: smaller, where the decoder gives back more."""
    times = net.decoded_factor // net.factor
    return image if times == 1 else F.interpolate(image, scale_factor=1 / times, mode="bicubic", antialias=True)


def rebuild(net: VQGAN, picture: np.ndarray) -> tuple[np.ndarray, Tensor]:
    """One face, (S, S, 3) uint8, through encoder, quantiser and decoder: the picture and its indices."""
    out: VQGANOutput = net(as_encoded(net, to_tensor(picture)[None].to(net.device) * 2 - 1))
    return to_picture(out.image[0].float() / 2 + 0.5), out.indices


def how_well_rebuilt(
    trials: Sequence[tuple[np.ndarray, tuple[np.ndarray, Tensor]]], codebook_size: int
) -> Mapping[str, float]:
    """PSNR and detail of encode-decode, and the share of codes that the faces use."""
    used = torch.cat([indices.flatten() for _, (_, indices) in trials]).unique()
    return {
        "psnr": mean(psnr(rebuilt, truth) for truth, (rebuilt, _) in trials),
        "detail": mean(detail_ratio(rebuilt, truth) for truth, (rebuilt, _) in trials),
        "codes used": len(used) / codebook_size,
    }
