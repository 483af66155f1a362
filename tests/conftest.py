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
