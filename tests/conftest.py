"""Fixtures that every test may use."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from limner.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable

    from limner.methods.clrface import CLRFacePipeline
    from limner.weights.formats.ldbfr import LDBFRNets

torch.set_num_threads(1)

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of faces, photographs and golden outputs that lies beside the repository."""
    if not SHARED.is_dir():
        pytest.skip("needs the folder ../shared (faces, photographs, golden outputs) beside the repository")
    return SHARED


@pytest.fixture(scope="module")
def tiny_ldbfr(shared: Path) -> LDBFRNets:
    """The nets of LD-BFR's golden outputs."""
    from limner.weights.formats.ldbfr import LDBFRNets, build_injected_unet, build_stage_a, build_target

    folder = shared / "golden/ldbfr"

    def tensors(*files: str) -> dict[str, Tensor]:
        return {name: t for file in files for name, t in load_file(folder / f"tiny_{file}.safetensors").items()}

    stage_a = build_stage_a(tensors("stage_a"), folder, sample_size=64)
    parts = tensors("unet_base_1", "unet_base_2", "unet_cross")
    unet, injection = build_injected_unet(parts, folder, condition_channels=64, head_channels=16, sample_size=32)
    vqgan = build_target(tensors("target_first_stage"), folder, sample_size=128)
    return LDBFRNets(stage_a, unet, injection, vqgan)


@pytest.fixture(scope="session")
def tiny_clrface() -> Callable[..., CLRFacePipeline]:
    """Makes a random CLR-Face for faces of 64 px in which all branches matter, by what it predicts and its mask."""
    from torch import nn

    from limner.methods.clrface import CLRFacePipeline
    from limner.methods.schedules import clrface_schedule
    from limner.nets.degraded_encoder import DegradedEncoder
    from limner.nets.guidance_mask import PredictedMask
    from limner.nets.identity import IdentityNet
    from limner.nets.recovery import IdentityRecovery
    from limner.nets.unet import UNet
    from limner.nets.vqgan import VQGAN

    def make(prediction="sample", mask=None) -> CLRFacePipeline:
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

    return make


@pytest.fixture
def run(monkeypatch, capsys):
    """The command line in this process: its words to (exit code, what it prints, what it says)."""

    def call(*words) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["limner", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        told = capsys.readouterr()
        return code, told.out, told.err

    return call
