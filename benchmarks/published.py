"""The four methods' nets in their published sizes, with random weights, which cost what trained ones do.

CLR-Face's authors published no sizes; its are those that docs/methods/clrface.md decided on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

from limner.methods.clrface import CLRFacePipeline
from limner.methods.difface import DifFacePipeline
from limner.methods.ldbfr import LDBFRPipeline
from limner.methods.pipeline import FacePipeline
from limner.methods.refldm import RefLDMPipeline
from limner.methods.schedules import clrface_schedule, difface_schedule, ldbfr_schedule, refldm_schedule
from limner.nets.degraded_encoder import DegradedEncoder
from limner.nets.guidance_mask import PredictedMask
from limner.nets.identity import IdentityNet
from limner.nets.injection import Injection
from limner.nets.stage_a import StageA
from limner.nets.swinir import SwinIR
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN
from limner.train.recipes.clrface.prior import published_score_net
from limner.train.recipes.clrface.vqgan import published_first_stage
from limner.train.recipes.ldbfr.prior import published_prior
from limner.train.recipes.refldm.refldm import published_unet
from machine import randomised

Sized = TypeVar("Sized", UNet, VQGAN, StageA)


def difface(size: int) -> DifFacePipeline:
    return DifFacePipeline(randomised(SwinIR), for_side(randomised(UNet), size), difface_schedule())


def refldm(size: int) -> RefLDMPipeline:
    vqgan = spread(randomised(VQGAN))
    return RefLDMPipeline(for_side(vqgan, size), for_side(randomised(published_unet), size // 8), refldm_schedule())


def ldbfr(size: int) -> LDBFRPipeline:
    stage_a, unet = for_side(randomised(StageA), size), for_side(randomised(published_prior), size // 8)
    vqgan = for_side(spread(randomised(ldbfr_autoencoder)), size // 2)
    return LDBFRPipeline(stage_a, unet, randomised(Injection), vqgan, ldbfr_schedule())


def ldbfr_autoencoder() -> VQGAN:
    """Its decoder goes twice as far up as its encoder came down."""
    return VQGAN(
        sample_size=256, latent_channels=3, codebook_size=8192, width=128, multipliers=(1, 2, 4), asymmetric=True
    )


def clrface(size: int) -> CLRFacePipeline:
    vqgan = for_side(spread(randomised(published_first_stage)), size)
    encoder, unet = DegradedEncoder.for_vqgan(vqgan), for_side(randomised(published_score_net), size // 4)
    others = randomised(SwinIR), PredictedMask(), randomised(IdentityNet)
    return CLRFacePipeline(vqgan, encoder, unet, *others, clrface_schedule())


def for_side(net: Sized, side: int) -> Sized:
    """The same net, said to be made for pictures or latents of that side."""
    net.register_to_config(sample_size=side)
    return net


def spread(vqgan: VQGAN) -> VQGAN:
    """The same net, its codes as far apart as a latent's positions are."""
    torch.nn.init.normal_(vqgan.codebook.weight, generator=torch.Generator().manual_seed(0))
    return vqgan


PUBLISHED: dict[str, Callable[[int], FacePipeline]] = {
    "difface": difface,
    "refldm": refldm,
    "ldbfr": ldbfr,
    "clrface": clrface,
}
"""By the method's name, from the side of the faces in pixels, a multiple of 64."""
