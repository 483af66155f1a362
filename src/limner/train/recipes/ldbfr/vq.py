"""Recipes: LD-BFR's two autoencoders at 512 px: the codes of stage A, and the latent of stage B
(docs/methods/ldbfr.md, eq. (6)). How the authors trained them isn't known; the settings are those of the works they
built on. The embedded weights share one autoencoder, the recipe `vqgan`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from limner.evaluate.metrics.perceptual import estimator_features
from limner.nets.vqgan import VQGAN
from limner.train.losses.adversary import Adversary
from limner.train.recipe import Preset, Recipe
from limner.train.recipes.refldm.vqgan import TRAINING, Objective, autoencoder, l1, vqgan
from limner.train.starting import load_first_stage

PUBLISHED = replace(TRAINING["paper"], steps=300_000, lr=1.44e-4, final_lr=1.44e-4, warmup=0)
"""The learning rate is 4.5e-6 for each face of a batch."""


def ldbfr_dictionary(data: Path, preset: Preset = "mini", seed: int = 0) -> Recipe[VQGAN]:
    """The codes of clean faces that stage A begins with: 1,024 of 256 channels, 16 x 16 for a face of 512 px.

    Args:
        data: folder of aligned faces with its tables.
        preset: `paper`; `mini` is the recipe `vqgan`.
        seed: of initialisation, data order and codes.
    """
    if preset == "mini":
        return vqgan(data, preset, seed)
    torch.manual_seed(seed)
    net = VQGAN(
        latent_channels=256, codebook_size=1024, width=64, multipliers=(1, 2, 2, 4, 4, 8), attention_levels=(5,)
    )
    return _published("ldbfr-dictionary", net, data, seed)


def ldbfr_vqgan(data: Path, preset: Preset = "mini", seed: int = 0, start: str | Path | None = None) -> Recipe[VQGAN]:
    """The autoencoder of the diffusion's latents: faces of 256 px in, 3 channels at 64 x 64, faces of 512 px out.

    Args:
        data: folder of aligned faces with its tables.
        preset: `paper`; `mini` is the recipe `vqgan`, whose pictures come back in their size.
        seed: of initialisation, data order and codes.
        start: an autoencoder to go on from, whose encoder and codes stay, so that a diffusion that was trained in its
            latents still fits; it may lack the last doubling. None begins anew.
    """
    if preset == "mini":
        return vqgan(data, preset, seed)
    torch.manual_seed(seed)
    net = VQGAN(
        sample_size=256, latent_channels=3, codebook_size=8192, width=128, multipliers=(1, 2, 4), asymmetric=True
    )
    if start is not None:
        given = load_first_stage(start)
        config: dict[str, Any] = {key: value for key, value in given.config.items() if not key.startswith("_")}
        net = VQGAN(**{**config, "asymmetric": True})
        net.load_state_dict(net.state_dict() | given.state_dict())
        net.requires_grad_(False)
        for part in (net.decoder, net.from_latent):
            part.requires_grad_(True)
    return _published("ldbfr-vqgan", net, data, seed)


def _published(name: str, net: VQGAN, data: Path, seed: int) -> Recipe[VQGAN]:
    loss = Objective(l1, estimator_features(), legacy=True, adversary=Adversary(start=30_001))
    return autoencoder(name, net, data, 512, seed, loss, PUBLISHED)
