"""Weights: what there is (`catalogue`), how to get it (`fetch`), how to load it (`load`), how to convert it.

This module stays light; torch is imported when something is loaded.

    find("official/difface-prior")   an entry of the catalogue; WEIGHTS is all of them
    fetch(entry, progress=...)       brings a published file, verified
    load_identity("mini")            the recogniser; or one of the user's, by path
    convert(file, folder)            a published file into a folder of ours
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from limner.weights.catalogue import WEIGHTS, Embedded, Published, Weights, find, models_dir
from limner.weights.fetch import fetch

if TYPE_CHECKING:
    from limner.nets.identity import IdentityNet

__all__ = [
    "WEIGHTS",
    "Embedded",
    "Published",
    "Weights",
    "convert",
    "fetch",
    "find",
    "load_identity",
    "models_dir",
]


def load_identity(source: str | Path = "mini") -> IdentityNet:
    """The recogniser: embedded, a folder, or a file with an ArcFace IR-ResNet; see `load.load_identity`."""
    from limner.weights.load import load_identity

    return load_identity(source)


def convert(path: Path, out: Path) -> Path:
    """A published file into a folder of ours; see `official.convert`."""
    from limner.weights.official import convert

    return convert(path, out)
