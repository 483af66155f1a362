"""A folder of photographs without a face and its `index.csv`: what scenes are composed over, and what the finder is
measured on. A third of the sources is only measured on; of a set of products each kind is a source of its own."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

from limner.errors import LimnerError

FOLDER = "nofaces"
"""Its name beside the folder of faces."""
MEASURED_SHARE = 1 / 3


def photographs_of_nobody(folder: Path, measured: bool) -> list[Path]:
    """The files to train on, or those of the sources that are only measured on.

    Args:
        folder: holds the pictures and `index.csv`.
        measured: which of the two.

    Raises:
        LimnerError: the table is missing.
    """
    index = folder / "index.csv"
    if not index.is_file():
        raise LimnerError(f"{folder} has no index.csv: give a folder of photographs without a face with its table.")
    with index.open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    return [
        folder / row["file"]
        for row in rows
        if _is_measured(source(row["source repository"], row["source_path"])) == measured
    ]


def source(repository: str, path: str) -> str:
    """Where a picture comes from: the repository and, of a set of products (`dataset/SPLIT/GROUP/KIND/...`), the
    kind."""
    kind = "/".join(path.split("/")[2:4]) if path.startswith("dataset/") else ""
    return f"{repository}/{kind}".rstrip("/")


def _is_measured(origin: str) -> bool:
    return int.from_bytes(hashlib.sha256(origin.encode()).digest()[:8]) / 2**64 < MEASURED_SHARE
