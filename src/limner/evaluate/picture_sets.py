"""Folders of pictures side by side: restored, true, and what they were restored from, paired by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from limner.errors import LimnerError
from limner.photo.photo import Photo

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})


@dataclass(frozen=True)
class Seen:
    """One restored picture and what belongs to it, (H, W, 3) uint8 RGB each.

    Attributes:
        name: of the restored file, without its folder and suffix.
        picture: restored.
        truth: what should have come back.
        input: what it was restored from; None where that isn't known.
    """

    name: str
    picture: np.ndarray
    truth: np.ndarray
    input: np.ndarray | None = None


@dataclass(frozen=True)
class PictureSet:
    """The files of restored pictures, those of their truths and inputs, in the order of their names.

    Attributes:
        restored, truths: files by name.
        inputs: likewise; empty where there are none.
    """

    restored: dict[str, Path]
    truths: dict[str, Path]
    inputs: dict[str, Path]

    @classmethod
    def open(cls, restored: Path, truth: Path, inputs: Path | None = None) -> PictureSet:
        """Pairs the pictures of folders by the names of their files, without suffixes.

        Args:
            restored: folder of the pictures to measure.
            truth: folder of what they should be; it may hold more.
            inputs: folder of what they were restored from; it may hold more.

        Raises:
            LimnerError: a folder is missing or holds no picture, two of its files have one name, or a restored
                picture has no truth or no input.
        """
        files = files_of(restored)
        sets = [files_of(folder) for folder in (truth, inputs) if folder is not None]
        for folder, others in zip((truth, inputs), sets, strict=False):
            if missing := [name for name in files if name not in others]:
                more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
                raise LimnerError(
                    f"{files[missing[0]]}{more} has no picture of its name in {folder}: name them alike, or take it "
                    "out."
                )
        truths, *rest = ({name: others[name] for name in files} for others in sets)
        return cls(files, truths, rest[0] if rest else {})

    @property
    def names(self) -> list[str]:
        """Of the restored pictures."""
        return list(self.restored)

    def __len__(self) -> int:
        return len(self.restored)

    def each(self, done: frozenset[str] = frozenset()) -> Iterator[Seen]:
        """The pictures one after the other, but for those that are done.

        Raises:
            LimnerError: if a file can't be read, or a restored picture has another size than its truth.
        """
        for name in self.names:
            if name not in done:
                yield self.one(name)

    def one(self, name: str) -> Seen:
        """The picture of that name; raises as `each`."""
        picture, truth = picture_of(self.restored[name]), picture_of(self.truths[name])
        if picture.shape != truth.shape:
            raise LimnerError(
                f"{self.restored[name]} has {sides(picture)} px, its truth {self.truths[name]} {sides(truth)}: "
                "measure pictures of the truth's size."
            )
        given = picture_of(self.inputs[name]) if name in self.inputs else None
        return Seen(name, picture, truth, given)


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
