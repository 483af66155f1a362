"""Addresses of what doesn't lie on this machine: `s3://bucket/scans`, `gs://bucket/scans`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from limner.errors import LimnerError

PACKAGES = {"s3": "s3fs", "gs": "gcsfs"}
"""The package of fsspec's family that reaches the objects of a scheme."""

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+(.*)", re.DOTALL)  # of more than a letter, which is a drive


@dataclass(frozen=True)
class Address:
    """Of an object, or of all those that begin alike, which people call a folder.

    Attributes:
        scheme: one of `PACKAGES`.
        key: the bucket's name and the object's, as in `bucket/scans/anna.jpg`.
    """

    scheme: str
    key: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.key}"


def address_of(path: Path | str) -> Address | None:
    """The address that a path is; None of one on this machine. `Path` makes one slash of two, so one will do."""
    found = _ADDRESS.fullmatch(str(path))
    scheme = found[1].lower() if found else ""
    return Address(scheme, found[2].rstrip("/")) if found and scheme in PACKAGES else None


def on_this_machine(path: Path) -> Path:
    """A path, or a `file://` address, as a path of this machine.

    Raises:
        LimnerError: it is an address of another kind.
    """
    found = _ADDRESS.fullmatch(str(path))
    if found is None or path.exists():
        return path
    if found[1].lower() == "file":
        return Path("/", found[2])
    schemes = ", ".join(f"{scheme}://" for scheme in PACKAGES)
    raise LimnerError(f"There are no addresses {found[1]}://: give {schemes} or file://, or a path.")
