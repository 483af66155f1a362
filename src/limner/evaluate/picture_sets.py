"""Folders of pictures side by side: restored, true, what they were restored from, and others of the same person, paired
by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from limner.degrade.degrade import Degradation, apply_to_truth
from limner.errors import LimnerError
from limner.evaluate.known_degradations import KnownDegradations
from limner.evaluate.landmark_points import GivenPoints
from limner.evaluate.metric import Need
from limner.evaluate.metrics.fidelity import psnr
from limner.evaluate.picture_files import files_of, picture_of, sides
from limner.evaluate.reference_folder import ReferenceFolder

LEAST_REPEATED = 30.0
"""dB below which a truth, degraded again, isn't the input: another draw was meant. A JPEG of an input reaches more."""


@dataclass(frozen=True)
class Seen:
    """One restored picture and what belongs to it, (H, W, 3) uint8 RGB each.

    Attributes:
        name: of the restored file, without its folder and suffix.
        picture: restored.
        truth: what should have come back; None where nobody knows.
        input: what it was restored from; None where that isn't known.
        degradation: what turned the truth into the input; likewise.
        references: files of the person's other photographs.
        points: landmarks of the restored picture, None where they are to be found, and the true ones.
    """

    name: str
    picture: np.ndarray
    truth: np.ndarray | None = None
    input: np.ndarray | None = None
    degradation: Degradation | None = None
    references: tuple[Path, ...] = ()
    points: tuple[np.ndarray | None, np.ndarray] | None = None


@dataclass(frozen=True)
class PictureSet:
    """The files of restored pictures, and what else is known of each, in the order of their names.

    Attributes:
        restored: files by name.
        truths: likewise; empty where there are none.
        inputs: likewise.
        references: the person's other photographs, likewise.
        degradations: if they are known.
        points: landmarks, if they are given.
    """

    restored: dict[str, Path]
    truths: dict[str, Path] = field(default_factory=dict)
    inputs: dict[str, Path] = field(default_factory=dict)
    references: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    degradations: KnownDegradations | None = None
    points: GivenPoints | None = None

    @classmethod
    def open(
        cls,
        restored: Path,
        truth: Path | None = None,
        inputs: Path | None = None,
        references: Path | None = None,
        degradations: KnownDegradations | None = None,
        points: GivenPoints | None = None,
    ) -> PictureSet:
        """Pairs the pictures of folders by the names of their files, without suffixes.

        Args:
            restored: folder of the pictures to measure.
            truth: folder of what they should be; it may hold more.
            inputs: folder of what they were restored from; it may hold more.
            references: folder of the persons' other photographs, see `ReferenceFolder`.
            degradations, points: see the attributes.

        Raises:
            LimnerError: a folder is missing or holds no picture, two of its files have one name, or a restored
                picture has no truth, input, reference or landmarks.
        """
        files = files_of(restored)
        truths, given = (mates(files, folder) if folder else {} for folder in (truth, inputs))
        others = {}
        if references:
            others = ReferenceFolder.open(references).of_all(files)
        if points:
            for name in files:
                points.of(name)
        return cls(files, truths, given, others, degradations, points)

    @property
    def names(self) -> list[str]:
        """Of the restored pictures."""
        return list(self.restored)

    @property
    def offered(self) -> frozenset[Need]:
        """What a metric can be given."""
        there: dict[Need, object] = {
            "truth": self.truths,
            "gallery": self.truths,
            "input": self.inputs,
            "references": self.references,
            "degradation": self.degradations,
            "points": self.points,
        }
        return frozenset(need for need, known in there.items() if known)

    def __len__(self) -> int:
        return len(self.restored)

    def each(self, done: frozenset[str] = frozenset()) -> Iterator[Seen]:
        """The pictures one after the other, but for those that are done.

        Raises:
            LimnerError: if a file can't be read, a restored picture has another size than its truth, or the truth
                degraded again isn't the input.
        """
        for name in self.names:
            if name not in done:
                yield self.one(name)

    def one(self, name: str) -> Seen:
        """The picture of that name; raises as `each`."""
        picture = picture_of(self.restored[name])
        truth, given = (picture_of(files[name]) if files else None for files in (self.truths, self.inputs))
        if truth is not None and picture.shape != truth.shape:
            raise LimnerError(
                f"{self.restored[name]} has {sides(picture)} px, its truth {self.truths[name]} {sides(truth)}: "
                "measure pictures of the truth's size."
            )
        points = None if self.points is None else self.points.of(name)
        degradation = None if given is None else self._degradation(name, given, truth)
        return Seen(name, picture, truth, given, degradation, self.references.get(name, ()), points)

    def _degradation(self, name: str, given: np.ndarray, truth: np.ndarray | None) -> Degradation | None:
        """What the input was made with.

        Raises:
            LimnerError: if it isn't told, or the truth degraded again isn't the input.
        """
        if self.degradations is None:
            return None
        file = self.truths.get(name, self.inputs[name]).name
        found = self.degradations.of(name, file, given.shape[1], given.shape[0])
        drawn = self.degradations.preset
        if drawn and truth is not None and psnr(apply_to_truth(truth, found), given) < LEAST_REPEATED:
            raise LimnerError(
                f"{self.inputs[name]} wasn't made from its truth by {drawn} with the seed of {file}: give the JSON "
                "file that lies beside the inputs."
            )
        return found


def mates(files: Mapping[str, Path], folder: Path) -> dict[str, Path]:
    """The pictures of a folder that belong to files, by name.

    Raises:
        LimnerError: if one has none there; see `files_of`.
    """
    others = files_of(folder)
    if missing := [name for name in files if name not in others]:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise LimnerError(
            f"{files[missing[0]]}{more} has no picture of its name in {folder}: name them alike, or take it out."
        )
    return {name: others[name] for name in files}
