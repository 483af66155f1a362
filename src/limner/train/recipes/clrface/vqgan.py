"""Recipe: CLR-Face's first stage (docs/methods/clrface.md, eq. (1)), an autoencoder that shrinks a face four
times only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from limner.evaluate.metrics.perceptual import estimator_features
from limner.nets.discriminator import PatchDiscriminator
from limner.nets.vqgan import VQGAN
from limner.train.losses.adversary import Adversary
from limner.train.recipe import Preset, Recipe
from limner.train.recipes.refldm.vqgan import TRAINING, Objective, autoencoder, l1, root_mse


def published_first_stage() -> VQGAN:
    """3 channels at 128 x 128 for a face of 512 px, 8,192 codes, 55.3 M parameters; the diffusion sees its latents
    divided by their deviation."""
    return VQGAN(
        sample_size=512,
        latent_channels=3,
        codebook_size=8192,
        width=128,
        multipliers=(1, 2, 4),
        normalise_latent=True,
    )


def mini_first_stage() -> VQGAN:
    """3 channels at 64 x 64 for a face of 256 px: all of it at that resolution, so that guidance, which goes through
    the decoder and back in most steps, is cheap."""
    return VQGAN(
        sample_size=256,
        latent_channels=3,
        codebook_size=8192,
        width=96,
        multipliers=(1,),
        middle=False,
        groups=0,
        patch_size=4,
        normalise_latent=True,
    )


def clrface_vqgan(data: Path, preset: Preset = "mini", seed: int = 0) -> Recipe[VQGAN]:
    """The first stage's recipe.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini`, 256 px; or `paper`, 512 px with the decided settings, but for the perceptual term: LPIPS needs
            weights that limner doesn't ship, so features of a net of its own stand in.
        seed: of initialisation, data order and codes.
    """
    torch.manual_seed(seed)
    if preset == "paper":
        loss = Objective(l1, estimator_features(), adversary=Adversary(start=30_000))
        return autoencoder("clrface-vqgan", published_first_stage(), data, 512, seed, loss, TRAINING["paper"])
    loss = Objective(
        root_mse,
        quantise_from=200,
        revive_every=50,
        revive_until=800,
        adversary=Adversary(600, 0.6, PatchDiscriminator(width=32), lr=3e-4),
    )
    shorter = replace(TRAINING["mini"], steps=1_000)
    return autoencoder("clrface-vqgan", mini_first_stage(), data, 256, seed, loss, shorter, grey=0.1)
