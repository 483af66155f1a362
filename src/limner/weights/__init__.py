"""Weights: what there is (`catalogue`), how to get it (`fetch`), how to load it (`load`), how to convert it.

This module stays light; torch is imported when something is loaded.

    find("official/difface-prior")   an entry of the catalogue; WEIGHTS is all of them
    fetch(entry, progress=...)       brings a published file, verified
    load_difface("mini")             estimator, prior and what to tell the user
    load_refldm("mini")              autoencoder, denoiser and what to tell the user
    load_ldbfr("mini")               stage A, prior, injection, autoencoder and what to tell the user
    load_clrface(folder)             CLR-Face's six nets and what to tell the user
    load_identity("mini")            the recogniser; or one of the user's, by path
    convert(file, folder)            a published file into a folder of ours
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from limner.weights.catalogue import WEIGHTS, Embedded, Published, Weights, find, models_dir
from limner.weights.fetch import fetch

if TYPE_CHECKING:
    from diffusers.models.modeling_utils import ModelMixin

    from limner.nets.identity import IdentityNet
    from limner.nets.unet import UNet
    from limner.nets.vqgan import VQGAN
    from limner.weights.formats.ldbfr import LDBFRNets
    from limner.weights.load import CLRFaceNets, WeightsInfo

__all__ = [
    "WEIGHTS",
    "Embedded",
    "Published",
    "Weights",
    "convert",
    "fetch",
    "find",
    "load_clrface",
    "load_difface",
    "load_identity",
    "load_ldbfr",
    "load_refldm",
    "models_dir",
]


def load_difface(source: str | Path = "mini", models: Path | None = None) -> tuple[ModelMixin, UNet, WeightsInfo]:
    """DifFace's estimator and prior from `mini`, `official` or a folder; see `load.load_difface`."""
    from limner.weights.load import load_difface

    return load_difface(source, models)


def load_refldm(source: str | Path = "mini", models: Path | None = None) -> tuple[VQGAN, UNet, WeightsInfo]:
    """ReF-LDM's autoencoder and denoiser from `mini`, `official` or a folder; see `load.load_refldm`."""
    from limner.weights.load import load_refldm

    return load_refldm(source, models)


def load_ldbfr(source: str | Path = "mini", models: Path | None = None) -> tuple[LDBFRNets, WeightsInfo]:
    """LD-BFR's nets from `mini`, a folder or a checkpoint of the authors' trainer; see `load.load_ldbfr`."""
    from limner.weights.load import load_ldbfr

    return load_ldbfr(source, models)


def load_clrface(source: str | Path, models: Path | None = None) -> tuple[CLRFaceNets, WeightsInfo]:
    """CLR-Face's nets from a folder; see `load.load_clrface`."""
    from limner.weights.load import load_clrface

    return load_clrface(source, models)


def load_identity(source: str | Path = "mini") -> IdentityNet:
    """The recogniser: embedded, a folder, or a file with an ArcFace IR-ResNet; see `load.load_identity`."""
    from limner.weights.load import load_identity

    return load_identity(source)


def convert(path: Path, out: Path) -> Path:
    """A published file into a folder of ours; see `official.convert`."""
    from limner.weights.official import convert

    return convert(path, out)
