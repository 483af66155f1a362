"""Pictures on disk, by the names of their files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from limner.errors import LimnerError
from limner.photo.photo import Photo

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})


def files_of(folder: Path) -> dict[str, Path]:
    """The pictures of a folder by name, sorted; its subfolders are not looked into.

    Raises:
        LimnerError: if it is missing, holds no picture, or two with one name.
    """
    if not folder.is_dir():
        raise LimnerError(f"There is no folder {folder}: give one with pictures.")
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
            continue
        if path.stem in files:
            raise LimnerError(f"{files[path.stem]} and {path} have one name: measure one of them.")
        files[path.stem] = path
    if not files:
        raise LimnerError(f"{folder} holds no picture ({', '.join(sorted(SUFFIXES))}).")
    return files


def picture_of(path: Path) -> np.ndarray:
    """A file as (H, W, 3) uint8 RGB; a grey one has three alike channels.

    Raises:
        LimnerError: if it can't be read.
    """
    return Photo.open(path).srgb()


def sides(picture: np.ndarray) -> str:
    """Width x height."""
    return f"{picture.shape[1]} x {picture.shape[0]}"
