"""Where something was measured, and by which command."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path

import torch

from limner.version import __version__

PACKAGES = ("torch", "numpy", "opencv-python-headless", "pillow", "diffusers", "scikit-image")
"""Whose versions may change a figure."""


def environment() -> list[tuple[str, str]]:
    """Label and text of all that figures and seconds may depend on."""
    return [
        ("limner", __version__),
        ("Python", platform.python_version()),
        *((name, version) for name in PACKAGES if (version := version_of(name))),
        ("CPU", f"{processor()}, {os.cpu_count()} logical cores, {torch.get_num_threads()} threads used"),
        ("GPU", accelerator()),
        ("system", platform.platform()),
        ("date", datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")),
    ]


def command() -> str:
    """The command line that this program was started with, quoted for a shell."""
    program = Path(sys.argv[0])
    start = ["python", "-m", program.parent.name] if program.name == "__main__.py" else [program.name]
    return shlex.join([*start, *sys.argv[1:]])


def version_of(package: str) -> str | None:
    """Its version; None where it isn't installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def processor() -> str:
    """The name of the CPU, as well as the system knows it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def accelerator() -> str:
    """The name of the GPU that torch sees, or `none`."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return "Apple, by Metal" if torch.backends.mps.is_available() else "none"
