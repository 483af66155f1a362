"""Folders of pictures, and a small set of measures to look at them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from limner.evaluate import measure, metric_registry
from limner.evaluate.definitions.distances import Distances
from limner.evaluate.definitions.fidelity import CONSISTENCY, GIVEN_LANDMARKS, PSNR
from limner.evaluate.definitions.identity import Recognised
from limner.evaluate.extractors import Extractor, recogniser
from limner.photo.write import save_png


def colours(crops: torch.Tensor) -> torch.Tensor:
    """Stands in for a recogniser: the mean colour."""
    return F.normalize(crops.mean(dim=(2, 3)), dim=1)


def means(pictures) -> np.ndarray:
    """Stands in for a net of features."""
    return np.array([picture.mean(axis=(0, 1)) for picture in pictures])


def small_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the place of all nets and metrics: two that see colours alone."""
    net = Recognised("colour", "colour", "the mean colour", "", "")
    features = Distances("means", ("frechet", "kernel"), ("Fréchet", "kernel"), ("", ""), "")
    monkeypatch.setattr(metric_registry, "METRICS", (PSNR, CONSISTENCY, GIVEN_LANDMARKS, *net.metrics()))
    monkeypatch.setattr(metric_registry, "SET_METRICS", features.metrics())
    looking = [recogniser("colour", colours, "", ""), Extractor("means", "features", 3, means, "", "")]
    monkeypatch.setattr(measure, "standard_extractors", lambda: looking)


def pictures(folder: Path, names, side: int = 32, seed: int = 0) -> Path:
    """A folder of pictures of noise over a colour of their own, the same for the same names and seed."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        generator = np.random.default_rng([seed, *name.encode()])
        colour = generator.integers(60, 180, 3)
        picture = colour + generator.integers(-30, 30, (side, side, 3))
        save_png(folder / f"{name}.png", picture.astype(np.uint8))
    return folder
