"""An album of three people, which the page shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from limner.album.group import group
from limner.album.index import Indexer
from limner.album.store import Album
from limner.faces.placing import AlignedCrop

from ..album.conftest import Patterns, photos_in, save


@pytest.fixture(autouse=True)
def own_album(tmp_path, monkeypatch) -> Path:
    """Where the album of a test lies, not that of whoever runs it; there is none at first."""
    file = tmp_path / "own" / "album.sqlite"
    monkeypatch.setenv("LIMNER_ALBUM", str(file))
    return file


@pytest.fixture
def shoe_box(tmp_path) -> Path:
    """A folder with two photographs of each of three people."""
    folder = tmp_path / "shoe box"
    folder.mkdir()
    for person in range(3):
        for number in range(2):
            save(folder, person, number)
    return folder


@pytest.fixture
def known(shoe_box):
    """An album of these, grouped, nobody named."""
    with Album(create=True) as album:
        Indexer(album, Patterns(), AlignedCrop()).run(photos_in(shoe_box), [shoe_box])
        group(album)
        yield album
