"""Fixtures that every test may use."""

import sys
from pathlib import Path

import pytest
import torch

from limner import cli

torch.set_num_threads(1)

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of faces, photographs and golden outputs that lies beside the repository."""
    if not SHARED.is_dir():
        pytest.skip("needs the folder ../shared (faces, photographs, golden outputs) beside the repository")
    return SHARED


@pytest.fixture
def run(monkeypatch, capsys):
    """The command line in this process: its words to (exit code, what it prints, what it says)."""

    def call(*words) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["limner", *map(str, words)])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        told = capsys.readouterr()
        return code, told.out, told.err

    return call
