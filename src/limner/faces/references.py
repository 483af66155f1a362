"""Other photographs of a person, as references for a restoration: one aligned crop of each, and whom they resemble."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from limner.errors import LimnerError, PhotoError, unexpected
from limner.faces.align import crop
from limner.faces.find import Face
from limner.faces.placing import Placing, placing_of
from limner.faces.recogniser import identity_net
from limner.faces.reference_files import reference_files
from limner.faces.seen import SeenFace
from limner.methods.options import MethodInfo
from limner.nets.identity import IdentityNet
from limner.photo.photo import Photo
from limner.pixels import to_tensor
from limner.settings import Settings

LEAST_ALIKE, LEAST_ALIKE_DAMAGED = 0.45, 0.25
"""Cosine of two photographs, by the recogniser `mini`, below which they hardly show one person: of a face that shows
detail, and of one that has lost it.

Set so that of the people whom no training saw hardly one photograph of the same person is warned of; among the more
varied ones that the recogniser was trained on it is one in ten. `python benchmarks/strangers.py ../shared/faces`, two
photographs of each person at 256 px, one of them spoilt; 22 people that no training saw, and in brackets 83 more:

| the photo | one person: median | warned of | strangers: median | warned of | without detail |
|---|---|---|---|---|---|
| whole | .77 (.78) | 0.0 % (9.6 %) | .20 (.13) | 93.8 % (95.2 %) | 0 % (0 %) |
| grey | .77 (.78) | 0.0 % (9.6 %) | .20 (.13) | 93.8 % (95.2 %) | 0 % (0 %) |
| `ffhq-ref-moderate` | .73 (.76) | 0.0 % (9.0 %) | .19 (.13) | 93.3 % (93.9 %) | 2 % (5 %) |
| `ffhq-ref-severe` | .44 (.45) | 6.8 % (12.0 %) | .12 (.10) | 82.2 % (84.8 %) | 98 % (95 %) |
| `old-print` | .72 (.76) | 0.0 % (9.6 %) | .19 (.12) | 94.4 % (95.7 %) | 0 % (0 %) |
"""

LEAST_DETAIL = 4.5
"""Variance of the Laplacian of a face's luma at 256 px, in squared grey values, below which it has lost its detail; the
last column above says how many faces lie below it."""


@dataclass(frozen=True, eq=False)
class Reference:
    """The face of a reference photograph.

    Attributes:
        name: the photograph's file, for messages.
        crop: (S, S, 3) uint8 in sRGB, FFHQ-aligned.
        path: of the file, resolved; None for a photograph that was never one.
    """

    name: str
    crop: np.ndarray
    path: Path | None = None

    @classmethod
    def read(cls, source: Path | Photo, number: int, placing: Placing, size: int, max_megapixels: float) -> Reference:
        """The largest face of a reference photograph.

        Raises:
            LimnerError: it has none, or can't be an aligned crop.
            PhotoError: it can't be read.
        """
        photo = source if isinstance(source, Photo) else Photo.open(source, max_megapixels)
        name, rgb = str(photo.path or f"number {number}"), photo.srgb()
        matrix = placing.matrix(rgb, placing.reference(rgb, name), size)
        return cls(name, crop(rgb, matrix, size), _resolved(photo.path))


@dataclass(frozen=True)
class FacePerson:
    """Who a face is, as an album tells, and what it is restored with.

    Attributes:
        face: its number.
        verdict: `said`, the user said so of this very face; `known`; `unsure`, it may be; `nobody` of the album.
        person: what that person is called; None where it is nobody.
        likeness: cosine with the person, -1 to 1.
        references: of each the photograph's path and what spoke for it.
    """

    face: int
    verdict: Literal["said", "known", "unsure", "nobody"]
    person: str | None
    likeness: float
    references: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class PhotoReferences:
    """What the faces of one photo are restored with.

    Attributes:
        each: references of each face; empty where it has none.
        notes: sentences for the user.
        owner: the place of the face to which references went that the user gave; None for none.
        people: who the faces are, of an album.
    """

    each: Sequence[References]
    notes: Sequence[str] = ()
    owner: int | None = None
    people: Sequence[FacePerson] = ()

    def told(self, method: MethodInfo) -> list[str]:
        """Sentences on them, and that there are none although the method lives on them."""
        if not self.each or not method.references:
            return []
        if any(self.each) or self.people:
            return list(self.notes)
        return [
            *self.notes,
            f"There are no references, so the method '{method.name}' restored from the photo alone: other photos of "
            "the same person (--reference) would make the result truer to the person.",
        ]


class ReferenceSource(Protocol):
    """Where references come from: the user gave them (`References`), or an album chooses them."""

    def of_faces(self, photo: Photo, faces: Sequence[SeenFace], crops: Sequence[np.ndarray]) -> PhotoReferences:
        """The references of a photo's faces.

        Args:
            photo: as it is.
            faces: that are restored.
            crops: of them, aligned, (S, S, 3) uint8 each.
        """
        ...

    def recorded(self, path: Path | None) -> tuple[int | None, str | None]:
        """What a result says of its references, before any is looked for: how many there are (None: that only the
        faces tell), and what tells them from others (None where there are none).

        Args:
            path: of the photo; None for one that was never a file.
        """
        ...


def _resolved(path: Path | None) -> Path | None:
    return None if path is None else Path(path).resolve()


class References:
    """A person's references, for all photographs of a run.

    Args:
        known: the faces.
        device: where the recogniser runs that tells people apart.
        notes: what the user should know of those that were left out, one sentence each.
    """

    def __init__(self, known: Sequence[Reference], device: torch.device, notes: Sequence[str] = ()):
        self.known, self.device, self.notes = tuple(known), device, tuple(notes)

    @classmethod
    def read(cls, settings: Settings, size: int, device: torch.device, max_megapixels: float = 100.0) -> References:
        """The largest face of each reference photograph. One that can't be used is left out, which the notes say.

        Args:
            settings: their files, folders of files, or photographs; and how faces lie in them.
            size: S, side of the crops in pixels.
            device: where the recogniser runs that tells people in a group apart.
            max_megapixels: larger photographs are refused.

        Raises:
            LimnerError: a source that doesn't exist, a folder without a photograph; or none can be used, each being
                without a face or no aligned crop.
            PhotoError: or each can't be read.
        """
        placing, known = placing_of(settings), list[Reference]()
        failed: list[LimnerError] = []
        for number, source in enumerate(reference_files(settings.references), 1):
            try:
                known.append(Reference.read(source, number, placing, size, max_megapixels))
            except LimnerError as error:
                failed.append(error)
            except Exception as error:  # one that is broken in a new way is left out, too
                what = source.path if isinstance(source, Photo) else source
                failed.append(PhotoError(f"The reference {what} can't be used: {unexpected(error)}"))
        if failed and not known:
            raise failed[0]
        return cls(known, device, [f"A reference was left out: {error}" for error in failed])

    def __len__(self) -> int:
        return len(self.known)

    def for_photo(self, path: Path | None) -> References:
        """The references for one photo: all but the photo itself, which may well lie among them in a folder.

        Args:
            path: of the photo; None for one that was never a file.
        """
        own = _resolved(path)
        others = [one for one in self.known if own is None or one.path != own]
        if len(others) == len(self.known):
            return self
        note = "The photo was left out of its own references: it would only teach the method its own damage."
        return References(others, self.device, [*self.notes, note])

    def digest(self) -> str:
        """SHA-256 of all crops, in hexadecimal: which references they were."""
        return hashlib.sha256(b"".join(one.crop.tobytes() for one in self.known)).hexdigest()

    def strangers(self, face: np.ndarray) -> list[str]:
        """A warning for each that resembles a face less than photographs of one person do.

        Args:
            face: aligned crop, (S, S, 3) uint8.
        """
        if not self.known:
            return []
        alike = resemblance(identity_net(self.device), [face], [one.crop for one in self.known])
        least = least_alike(face)
        return [
            f"The reference {one.name} hardly resembles the face ({score:.2f}; photos of one person reach "
            f"{least:.2f}): make sure that it shows the same person."
            for one, score in zip(self.known, alike, strict=True)
            if score < least
        ]

    def owner(self, crops: Sequence[np.ndarray]) -> int | None:
        """Which of a photo's faces the references belong to: the one that resembles them most (docs/methods/refldm.md,
        eq. (13)).

        Args:
            crops: of all faces, aligned, (S, S, 3) uint8 each.

        Returns:
            Its place among them; None where there are no references or no faces.
        """
        if not self.known or not crops:
            return None
        if len(crops) == 1:
            return 0
        return int(self.likeness(crops).argmax())

    def of_faces(self, photo: Photo, faces: Sequence[SeenFace], crops: Sequence[np.ndarray]) -> PhotoReferences:
        """As `ReferenceSource` says: all go to the face that they resemble most."""
        here = self.for_photo(photo.path)
        owner = here.owner(crops)
        nobody = References([], self.device)
        each = [here if place == owner else nobody for place in range(len(crops))]
        return PhotoReferences(each, here._notes_on(faces, crops, owner), owner)

    def recorded(self, path: Path | None) -> tuple[int | None, str | None]:
        """As `ReferenceSource` says."""
        here = self.for_photo(path)
        return len(here), here.digest() if here else None

    def _notes_on(self, faces: Sequence[Face], crops: Sequence[np.ndarray], owner: int | None) -> list[str]:
        """Where the references went, which were left out or may be a stranger's; all arguments as in `of_faces`."""
        if owner is None:
            return list(self.notes)
        notes = [*self.notes, *self.strangers(crops[owner])]
        if len(faces) == 1:
            return notes
        return [
            *notes,
            f"The references went to face {faces[owner].number} (0 is the largest), which resembles them most, and the "
            "others were restored without: --faces chooses.",
        ]

    def likeness(self, faces: Sequence[np.ndarray]) -> np.ndarray:
        """How much faces resemble the person, as `resemblance` tells it.

        Args:
            faces: aligned crops, (S, S, 3) uint8 each.
        """
        return resemblance(identity_net(self.device), [one.crop for one in self.known], faces)

    def pictures(self) -> torch.Tensor:
        """The references' crops, (n, 3, S, S) float32 in [0, 1]."""
        return torch.stack([to_tensor(one.crop) for one in self.known])


def least_alike(face: np.ndarray) -> float:
    """The cosine that a reference of the same person reaches nearly always, by how much the face still shows.

    Args:
        face: aligned crop, (S, S, 3) uint8.
    """
    luma = cv2.resize(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), (256, 256), interpolation=cv2.INTER_AREA)
    detail = cv2.Laplacian(luma.astype(np.float32), cv2.CV_32F).var()
    return LEAST_ALIKE if detail >= LEAST_DETAIL else LEAST_ALIKE_DAMAGED


@torch.no_grad()
def resemblance(net: IdentityNet, references: Sequence[np.ndarray], faces: Sequence[np.ndarray]) -> np.ndarray:
    """How much each face resembles the person of the references (docs/methods/refldm.md, eq. (13)).

    Args:
        net: the recogniser.
        references, faces: aligned crops, (S, S, 3) uint8.

    Returns:
        (len(faces),) cosines of each face with the mean direction of the references, -1 to 1.
    """
    device = next(net.parameters()).device

    def embedded(crops: Sequence[np.ndarray]) -> torch.Tensor:
        return torch.cat([net(to_tensor(one)[None].to(device)) for one in crops])

    person = F.normalize(embedded(references).mean(0), dim=0)
    return (embedded(faces) @ person).cpu().numpy()
