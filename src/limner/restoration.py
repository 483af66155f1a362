"""What comes out at the end of the way: the restored photographs and all that is known of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike

import numpy as np

from limner.faces.references import FacePerson
from limner.faces.seen import SeenFace
from limner.photo.photo import Photo
from limner.photo.provenance import Provenance


@dataclass
class RestoredCrop:
    """What became of one aligned crop of S x S pixels; all pictures are (S, S, 3) float32 in [0, 1], sRGB.

    Attributes:
        samples: the results, as many as were asked for.
        on_the_way: pictures that the method made before them, by name; see `MethodInfo.on_the_way`.
        numbers: of the results, their places among all that were made; by default their places here.
    """

    samples: list[np.ndarray]
    on_the_way: dict[str, np.ndarray] = field(default_factory=dict)
    numbers: Sequence[int] = ()

    def __post_init__(self) -> None:
        self.numbers = self.numbers or range(len(self.samples))


@dataclass
class Restoration:
    """What became of one photograph.

    Attributes:
        photos: the restored photographs, one for each sample.
        faces: the faces that were restored, in the photo's own pixels.
        left_alone: profiles, which are restored only when they are named.
        aligned: the same as aligned crops before they were restored, (S, S, 3) uint8 each, sRGB.
        crops: what became of these.
        referenced: the place in `faces` of the one that was restored with the references that were given; None
            without any.
        people: who the faces are and what each was restored with, of an album; else empty.
        provenance: what the saved file says about itself; None where nothing was changed.
        notes: what the user should know, one sentence each.
        on_holes: those of the notes that are on the photo's holes.
        below: how many faces were found, where none is as large and as sure as was asked; else 0.
        seconds: from the beginning to the end, waiting for other photographs of a run included.
        invented: (H, W) uint8, over the restored photo: 0 where all that is seen is the photo's own, 255 where it is
            made up, by the share of the restoration and, of several samples, by how far they differ.
    """

    photos: list[Photo]
    faces: list[SeenFace]
    provenance: Provenance | None
    seconds: float
    invented: np.ndarray
    referenced: int | None = None
    aligned: list[np.ndarray] = field(default_factory=list)
    crops: list[RestoredCrop] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    left_alone: list[SeenFace] = field(default_factory=list)
    people: list[FacePerson] = field(default_factory=list)
    on_holes: list[str] = field(default_factory=list)
    below: int = 0

    @property
    def photo(self) -> Photo:
        """The restored photograph, of several samples the first."""
        return self.photos[0]

    def save(self, path: str | PathLike[str], *, quality: int | None = None) -> None:
        """Writes the restored photograph, of several samples the first, with what it says of itself; notes are added
        on what the format had no room for.

        Args:
            path: its suffix gives the format.
            quality: of lossy formats, 1 to 100.

        Raises:
            PhotoError: see `Photo.save`.
        """
        notes = self.photo.save(path, quality=quality, provenance=self.provenance)
        self.notes += [note for note in notes if note not in self.notes]
