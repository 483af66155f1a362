"""Weights that hold a part in common with others: the part is stored once, and the rest says where it lies.

A net's configuration may have `borrows`: its submodules, each with the embedded weights whose net that submodule is.
What the net's own file lacks of such a part is read there. Its own tensors go first, so a part may be borrowed but for
what training changed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from limner.weights import catalogue
from limner.weights.checkpoint import read_tensors
from limner.weights.json_file import read_object
from limner.weights.tensors import Tensors


def with_borrowed(tensors: Tensors, config: Mapping[str, Any]) -> Tensors:
    """A file's tensors, and those that its net borrows."""
    return dict(_lent(config)) | dict(tensors)


def drop_borrowed(folder: Path) -> None:
    """Takes out of a folder's safetensors file what is borrowed, as far as it is equal to the lender's."""
    lent = dict(_lent(read_object(folder / "config.json")))
    if not lent:
        return
    (file,) = folder.glob("*.safetensors")
    own = {name: tensor for name, tensor in read_tensors(file).items() if not _equal(tensor, lent.get(name))}
    unfinished = file.with_suffix(".part")
    save_file(own, unfinished, metadata={"format": "pt"})
    os.replace(unfinished, file)


def _lent(config: Mapping[str, Any]) -> Iterator[tuple[str, Tensor]]:
    """All tensors of all lenders, under the borrower's names."""
    for part, lender in (config.get("borrows") or {}).items():
        for file in sorted(catalogue.find(lender).path().glob("*.safetensors")):
            yield from ((f"{part}.{name}", tensor) for name, tensor in read_tensors(file).items())


def _equal(own: Tensor, lent: Tensor | None) -> bool:
    return lent is not None and own.dtype == lent.dtype and torch.equal(own, lent)
