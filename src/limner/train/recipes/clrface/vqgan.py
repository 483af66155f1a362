"""Recipe: CLR-Face's first stage (section 3 of its notes, S1), an autoencoder that shrinks a face four times only."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch

from limner.data.faces import FaceSet
from limner.data.pairs import Faces
from limner.evaluate.perceptual import estimator_features
from limner.nets.discriminator import PatchDiscriminator
from limner.nets.vqgan import VQGAN
from limner.train.losses.adversary import Adversary
from limner.train.recipe import Recipe
from limner.train.recipes.refldm.vqgan import Measure, Objective, Preview, l1, root_mse


def published_first_stage() -> VQGAN:
    """3 channels at 128 x 128 for a face of 512 px, 8,192 codes, 55.3 M parameters; the diffusion sees its latents
    divided by their deviation (section 2, rows 1 and 2)."""
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


def clrface_vqgan(data: Path, preset: Literal["mini", "paper"] = "mini", seed: int = 0) -> Recipe:
    """The first stage's recipe.

    Args:
        data: folder of aligned faces with its tables.
        preset: `mini`, 256 px; or `paper`, 512 px with the decided settings, but for the perceptual term: LPIPS needs
            weights that limner doesn't ship, so features of a net of its own stand in.
        seed: of initialisation, data order and codes.
    """
    torch.manual_seed(seed)
    faces, validation = FaceSet.open(data, "train"), FaceSet.open(data, "val")
    if preset == "paper":
        objective = Objective(l1, estimator_features(), adversary=Adversary(start=30_000))
        return Recipe(
            name="clrface-vqgan",
            model=published_first_stage(),
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
        quantise_from=200,
        revive_every=50,
        revive_until=800,
        adversary=Adversary(600, 0.6, PatchDiscriminator(width=32), lr=3e-4),
    )
    return Recipe(
        name="clrface-vqgan",
        model=mini_first_stage(),
        data=Faces(faces, 256, seed, grey=0.1),
        loss=objective,
        memory=objective,
        steps=1_000,
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
