"""Fixtures that every test may use."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from limner.cli.main import main
from limner.device import Compute, choose

if TYPE_CHECKING:
    from limner.weights.formats.ldbfr import LDBFRNets

    from .storage.server import Bucket

torch.set_num_threads(1)

SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that carry the mark `cuda` are skipped where they can't run."""
    if torch.cuda.is_available():
        return
    for item in items:
        if item.get_closest_marker("cuda"):
            item.add_marker(pytest.mark.skip(reason="needs a GPU that torch can use (CUDA)"))


@pytest.fixture(
    params=[
        ("cpu", "fp32"),
        ("cpu", "bf16"),
        pytest.param(("cuda", "fp32"), marks=pytest.mark.cuda),
        pytest.param(("cuda", "bf16"), marks=pytest.mark.cuda),
    ],
    ids="-".join,
)
def compute(request) -> Compute:
    """Where golden outputs are asked for: on the processor, and where there is one, on a GPU."""
    return choose(*request.param)


@pytest.fixture(scope="session")
def shared(tmp_path_factory) -> Path:
    """Faces and golden outputs: the folder that lies beside the repository, or else the project's own, laid out alike
    (`golden/layout.py`, `own_faces.py`)."""
    if SHARED.is_dir():
        return SHARED
    from .golden.layout import lay_out
    from .own_faces import lay_out_faces

    folder = tmp_path_factory.mktemp("shared")
    lay_out(folder / "golden")
    lay_out_faces(folder / "faces")
    return folder


@pytest.fixture(scope="session")
def collection() -> Path:
    """The folder beside the repository, for tests of what only its thousands of faces and photographs show."""
    if not SHARED.is_dir():
        pytest.skip("needs the folder ../shared (thousands of faces, old photographs) beside the repository")
    return SHARED


@pytest.fixture(scope="module")
def tiny_ldbfr(shared: Path) -> LDBFRNets:
    """The nets of LD-BFR's golden outputs."""
    from .golden.ldbfr import tiny

    return tiny(shared / "golden/ldbfr")


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of a server that speaks S3's language."""
    from .storage.server import served

    with served() as address:
        yield address


BUCKETS = itertools.count(1)


@pytest.fixture
def bucket(s3, monkeypatch) -> Bucket:
    """An empty bucket, and an environment that leads to its server."""
    from .storage.server import Bucket

    for name, value in {
        "AWS_ENDPOINT_URL": s3,
        "AWS_ACCESS_KEY_ID": "anna",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    return Bucket(f"bucket-{next(BUCKETS)}")


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
