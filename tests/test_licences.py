"""The page of licences says what the installed packages say, and the constraints name every one of them."""

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from .licences import ROOTS, canonical, dependencies, tables

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")


def test_the_licence_of_every_installed_dependency_is_told():
    for heading, rows in tables().items():
        section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
        missing = [f"| {name} | {told} |" for name, told in rows.items() if f"| {name} | {told} |" not in section]
        assert missing == [], "python -m tests.licences > docs/licences.md"


def test_x265_and_libheif_are_told_of():
    try:
        bundled = distribution("pillow-heif").read_text("licenses/LICENSES_bundled.txt") or ""
    except PackageNotFoundError:
        pytest.skip("needs pillow-heif, which the extra dev brings")
    assert re.search("x265.*GPL", bundled, re.DOTALL | re.IGNORECASE) and "libheif" in bundled
    assert "x265 (**GPL-2.0**)" in PAGE and "libheif and libde265 (LGPL-3.0)" in PAGE


def test_the_constraints_hold_every_dependency_with_its_hashes():
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pinned = dict(
        re.findall(r"^([\w.-]+)==\S+ \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.MULTILINE)
    )
    assert len(pinned) == sum(not line.startswith(("#", " ")) for line in text.splitlines())
    needed = {name for extras in ROOTS.values() for name in dependencies(extras)}
    of_gpus = {name for name in needed if name.startswith(("nvidia-", "cuda-")) or name == "triton"}
    assert needed - of_gpus <= {canonical(name) for name in pinned}
