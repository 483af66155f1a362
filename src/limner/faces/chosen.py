"""Which faces of a photograph are restored, and what the user should know of them.

Profiles are left alone: nets that know faces from the front paint a second eye into them. Whoever names one
(`--faces 2`) gets it restored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from limner.faces.find import choose_faces
from limner.faces.placing import Placing
from limner.faces.seen import HALF_PROFILE, SeenFace, seen
from limner.settings import Settings

CUT = 0.05
"""Part of a face's box beyond the edge of the photo from which it is told."""
SMALL = 32
"""Side of a face's box in pixels below which it is told."""
DAMAGED = 0.7
"""Damage from which it is told: above most faces of the preset `ffhq-ref-moderate`, below most of the severe one."""
_NAMED = 6  # so many faces are named in a note, more are counted


@dataclass(frozen=True)
class Chosen:
    """Faces of a photograph.

    Attributes:
        restored: in the order in which they were asked for, or largest first.
        left_alone: profiles that were not asked for by number, largest first.
        notes: what the user should know of the search and of both, one sentence each.
        below: how many were found and asked for, where none of them is as large and as sure as was asked; else 0.
    """

    restored: list[SeenFace]
    left_alone: list[SeenFace]
    notes: list[str]
    below: int = 0

    @property
    def all(self) -> list[SeenFace]:
        """Restored or left alone; largest first, unless they were named."""
        if not self.left_alone:
            return self.restored
        return sorted([*self.restored, *self.left_alone], key=lambda face: face.number)


def faces_to_restore(rgb: np.ndarray, placing: Placing, settings: Settings, size: int) -> Chosen:
    """Finds the faces of a photo, takes those that were asked for, and looks at them.

    Args:
        rgb: (H, W, 3) uint8, the photo.
        placing: how faces lie in it.
        settings: which faces are asked for.
        size: of the net's crop in pixels.

    Raises:
        LimnerError: a face that the photo hasn't got was asked for.
    """
    found = placing.find(rgb)
    asked = choose_faces(found, settings.faces, settings.min_face, settings.min_score)
    faces = [seen(rgb, face, placing, size) for face in asked]
    named = not isinstance(settings.faces, str)
    below = 0 if asked else len(settings.faces if named else found)
    restored = [face for face in faces if named or not face.profile]
    left_alone = [face for face in faces if face not in restored]
    return Chosen(restored, left_alone, [*placing.notes(rgb), *notes_on(restored, left_alone)], below)


def notes_on(restored: Sequence[SeenFace], left_alone: Sequence[SeenFace]) -> list[str]:
    """What makes restored faces doubtful, a sentence for all that share it, and which faces were left alone, one each.

    Args:
        restored, left_alone: all faces of one photo that were asked for.
    """
    count = len(restored) + len(left_alone)
    told = [([face for face in restored if which(face)], tell) for which, tell in _DOUBTS]
    doubts = [f"{_who(doubtful, count)}: {tell(doubtful)}" for doubtful, tell in told if doubtful]
    return [*doubts, *(_note_on_profile(face) for face in left_alone)]


def _who(faces: Sequence[SeenFace], count: int) -> str:
    if count == 1:
        return "The face"
    if len(faces) > _NAMED:
        return f"{len(faces)} of {count} faces"
    numbers = [str(face.number) for face in sorted(faces, key=lambda face: face.number)]
    return f"Face {numbers[0]}" if len(numbers) == 1 else f"Faces {', '.join(numbers[:-1])} and {numbers[-1]}"


def _note_on_profile(face: SeenFace) -> str:
    return (
        f"Face {face.number} is a profile, turned by {face.turned:.0f} degrees, and left alone, for the nets know "
        f"faces from the front and would paint a second eye into it: --faces {face.number} restores it all the same."
    )


def _turned(faces: Sequence[SeenFace]) -> str:
    turns = sorted(face.turned or 0 for face in faces)
    degrees = f"{turns[0]:.0f}" if len(turns) == 1 else f"{turns[0]:.0f} to {turns[-1]:.0f}"
    return f"turned by {degrees} degrees"


def _small(faces: Sequence[SeenFace]) -> str:
    sides = sorted(round(face.size) for face in faces)
    pixels = f"{sides[0]}" if sides[0] == sides[-1] else f"{sides[0]} to {sides[-1]}"
    return f"only {pixels} px, so that what comes out is a likely face rather than this one."


_DOUBTS: tuple[tuple[Callable[[SeenFace], bool], Callable[[Sequence[SeenFace]], str]], ...] = (
    (
        lambda face: face.profile,
        lambda faces: f"a profile, {_turned(faces)}: expect little, or a second eye.",
    ),
    (
        lambda face: not face.profile and (face.turned or 0) > HALF_PROFILE,
        lambda faces: f"a half profile, {_turned(faces)}: expect little of the far side.",
    ),
    (
        lambda face: face.pose is not None and not face.pose.sure,
        lambda faces: "the five points are not those of a head, so nobody knows how it is turned: look at the result.",
    ),
    (
        lambda face: face.outside >= CUT,
        lambda faces: "cut by the edge of the photo, so that it is restored as if it went on like its mirror image.",
    ),
    (lambda face: face.size < SMALL, _small),
    (lambda face: (face.damage or 0) >= DAMAGED, lambda faces: "badly damaged, so that much of it will be made up."),
)
"""What makes a face doubtful, and how that is told of all faces of which it is true."""
