"""Weights: what there is (`catalogue`), how to get it (`fetch`), how to load it (`load`), how to convert it.

This module stays light; torch is imported when something is loaded.

    find("official/difface-prior")   an entry of the catalogue; WEIGHTS is all of them
    fetch(entry, progress=...)       brings a published file, verified
    load_net("mini/refldm", UNet)    one net; or one of the user's, by the path of its folder
    load_parts(name, parts, "mini")  all nets of a method, and what to tell the user about them
    load_identity("mini")            the recogniser; or one of the user's, by path
    convert(file, folder)            a published file into a folder of ours
"""

from importlib import import_module
from typing import TYPE_CHECKING

from limner.weights.catalogue import WEIGHTS, Embedded, Published, Weights, find, models_dir
from limner.weights.fetch import fetch

if TYPE_CHECKING:
    from limner.weights.conversion import convert
    from limner.weights.load import (
        load_identity,
        load_net,
        load_parts,
    )

__all__ = [
    "WEIGHTS",
    "Embedded",
    "Published",
    "Weights",
    "convert",
    "fetch",
    "find",
    "load_identity",
    "load_net",
    "load_parts",
    "models_dir",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'limner.weights' has no attribute '{name}'")
    return getattr(import_module(f"limner.weights.{'conversion' if name == 'convert' else 'load'}"), name)
