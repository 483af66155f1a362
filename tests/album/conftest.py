"""Pictures that a cheap recogniser tells apart: a pattern of 4 x 4 greys for each person."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from limner.album.index import Indexer
from limner.album.store import Album
from limner.faces.placing import AlignedCrop


class Patterns:
    """Stands for the recogniser: vectors are the 4 x 4 means of a crop less their mean."""

    name, width = "patterns", 16

    def __init__(self, *_: object):
        self.seen = 0

    def __call__(self, crops, damage) -> np.ndarray:
        assert len(crops) == len(damage)
        self.seen += len(crops)
        small = [cv2.resize(one, (4, 4), interpolation=cv2.INTER_AREA).mean(-1).ravel() for one in crops]
        vectors = np.array(small, np.float32).reshape(-1, 16)
        vectors = vectors - vectors.mean(axis=1, keepdims=True)
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)


def picture(person: int, number: int = 0, side: int = 96) -> np.ndarray:
    """Photograph `number` of a person."""
    greys = np.random.default_rng(person).uniform(0, 255, (4, 4))
    greys = np.clip(greys + np.random.default_rng((person, number)).normal(0, 12, (4, 4)), 0, 255)
    grain = np.random.default_rng((person, number, 1)).normal(0, 6, (side, side))
    large = cv2.resize(greys, (side, side), interpolation=cv2.INTER_NEAREST) + grain
    return np.repeat(np.clip(large, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def save(folder: Path, person: int, number: int = 0, taken: str | None = None) -> Path:
    """The same as a file; `taken` as EXIF writes it."""
    path = folder / f"p{person}_{number}.jpg"
    exif = Image.Exif()
    if taken:
        exif.get_ifd(34665)[36867] = taken
    Image.fromarray(picture(person, number)).save(path, quality=95, exif=exif.tobytes())
    return path


def photos_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.jpg"))


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two photographs of each of three people."""
    place = tmp_path / "photos"
    place.mkdir()
    for person in range(3):
        for number in range(2):
            save(place, person, number, taken=f"19{6 + person}0:05:0{1 + number} 10:00:00")
    return place


@pytest.fixture
def album(tmp_path, monkeypatch):
    """An empty one, which is the default one, too."""
    monkeypatch.setenv("LIMNER_ALBUM", str(tmp_path / "own" / "album.sqlite"))
    with Album(create=True) as opened:
        yield opened


@pytest.fixture
def indexer(album) -> Indexer:
    return Indexer(album, Patterns(), AlignedCrop())
