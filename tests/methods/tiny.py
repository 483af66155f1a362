"""The four methods with small random nets in which every branch matters: for tests of all methods, and of each."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from limner.methods.clrface import CLRFacePipeline
from limner.methods.difface import DifFacePipeline
from limner.methods.ldbfr import LDBFRPipeline
from limner.methods.pipeline import FacePipeline
from limner.methods.refldm import RefLDMPipeline
from limner.methods.schedules import clrface_schedule, difface_schedule, ldbfr_schedule, refldm_schedule
from limner.nets.degraded_encoder import DegradedEncoder
from limner.nets.estimator import Estimator
from limner.nets.guidance_mask import PredictedMask
from limner.nets.identity import IdentityNet
from limner.nets.injection import Injection
from limner.nets.recovery import IdentityRecovery
from limner.nets.stage_a import StageA
from limner.nets.unet import UNet
from limner.nets.vqgan import VQGAN

LATENT = {"latent_channels": 4, "codebook_size": 16, "width": 8, "multipliers": (1, 2), "depth": 1, "groups": 4}


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(count: int, seed: int, height: int = 32, width: int | None = None) -> torch.Tensor:
    return torch.rand(count, 3, height, width or height, generator=seeded(seed))


def filled(*nets: nn.Module) -> None:
    """Ends of branches start at zero and would hide what lies inside them."""
    generator = seeded()
    for net in nets:
        for parameter in net.parameters():
            if parameter.abs().max() < 1e-3:
                nn.init.normal_(parameter, std=0.1, generator=generator)


def latent_unet(in_channels: int) -> UNet:
    return UNet(
        sample_size=8,
        in_channels=in_channels,
        out_channels=4,
        width=16,
        multipliers=(1, 2),
        depths=(1, 1),
        attention_levels=(0, 1),
        head_channels=16,
        scale_shift=False,
        groups=8,
    )


def difface(prediction="epsilon") -> DifFacePipeline:
    """For faces of 32 px."""
    torch.manual_seed(0)
    unet = UNet(sample_size=32, width=32, multipliers=(1, 1), depths=(1, 1), attention_levels=(1,), head_channels=16)
    nn.init.normal_(unet.head.weight, std=0.02)
    estimator = Estimator(sample_size=32, patch_size=2, widths=(8, 8), depths=(1, 1))
    return DifFacePipeline(estimator, unet, difface_schedule(prediction))


def refldm(prediction="epsilon", **settings) -> RefLDMPipeline:
    """For faces of 32 px."""
    torch.manual_seed(0)
    vqgan = VQGAN(32, **LATENT, middle=False, patch_size=2)
    nn.init.normal_(vqgan.codebook.weight)
    unet = latent_unet(8)
    for net in (vqgan, unet):
        filled(net)
    return RefLDMPipeline(vqgan.eval(), unet.eval(), refldm_schedule(prediction), **settings)


def ldbfr(prediction="epsilon") -> LDBFRPipeline:
    """For faces of 32 px."""
    torch.manual_seed(0)
    stage_a = StageA(32, **LATENT, attention_levels=(), middle=False, patch_size=2, heads=2, scaled=True)
    vqgan = VQGAN(32, **LATENT, middle=False, patch_size=2)
    for net in (stage_a.vqgan, vqgan):
        nn.init.normal_(net.codebook.weight)
    unet = latent_unet(4)
    injection = Injection.for_unet(unet, (0, 1), 4, stage_a.grid, positions=True)
    filled(unet, injection)
    nets = (net.eval() for net in (stage_a, unet, injection, vqgan))
    return LDBFRPipeline(*nets, ldbfr_schedule(prediction))


def clrface(prediction="sample", mask=None) -> CLRFacePipeline:
    """For faces of 64 px."""
    torch.manual_seed(0)
    vqgan = VQGAN(64, 3, 64, 8, (1,), 1, middle=False, groups=0, patch_size=4, normalise_latent=True)
    nn.init.normal_(vqgan.codebook.weight)
    for name, parameter in vqgan.named_parameters():  # residual branches begin at zero
        if "conv2.weight" in name:
            nn.init.normal_(parameter, std=0.1)
    identity = IdentityNet(28, layers=(1, 1), widths=(8, 8), stem_width=8, embedding=16)
    unet = UNet(16, 6, 3, 16, (1, 1), (1, 1), (1,), 8, False, groups=0, input_skip=True, attention_positions=True)
    nn.init.normal_(unet.head.weight, std=0.05)
    irn = IdentityRecovery(64, {"sample_size": 64, "widths": (8, 8), "depths": (1, 1)}, width=8, depth=1)
    nn.init.normal_(irn.head.weight, std=0.1)
    if mask is None:
        mask = PredictedMask(3, width=8, time_channels=8)
        nn.init.normal_(mask.conv4.weight, std=0.5)
    nets = (vqgan, DegradedEncoder.for_vqgan(vqgan), unet, irn, mask, identity)
    for net in nets:
        net.eval().requires_grad_(False)
    return CLRFacePipeline(*nets, clrface_schedule(prediction))


PIPELINES: dict[str, Callable[..., FacePipeline]] = {
    "difface": difface,
    "refldm": refldm,
    "ldbfr": ldbfr,
    "clrface": clrface,
}
"""By the method's name; each takes what the net predicts, `epsilon` or `sample`."""
