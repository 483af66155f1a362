"""Fixtures that every test may use."""

from pathlib import Path

import pytest
import torch

torch.set_num_threads(1)

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of faces, photographs and golden outputs that lies beside the repository."""
    if not SHARED.is_dir():
        pytest.skip("needs the folder ../shared (faces, photographs, golden outputs) beside the repository")
    return SHARED
