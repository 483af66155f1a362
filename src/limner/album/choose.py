"""Which photographs of a person show best what a face should look like: sharp ones, turned alike, of about the same
age, and never the photograph itself or a copy of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from limner.album.store import AlbumFace, AlbumPhoto
from limner.faces.seen import SeenFace

LARGE = 256.0
"""Side of an aligned crop in pixels from which it is large enough: more, the nets don't see."""

_PER_DEGREE, _PER_YEAR, _UNDATED = 1 / 30, 1 / 15, 1 / 3
"""What a turn and years apart cost, in units of damage: 30 degrees or 15 years are as bad as a face of which nothing is
left. Where one date isn't known, it counts as 5 years."""


@dataclass(frozen=True, eq=False)
class Choice:
    """A face that serves as a reference.

    Attributes:
        face, photo: of the album.
        cost: the lower, the better; see `cost_of`.
        reason: what speaks for it, in words.
    """

    face: AlbumFace
    photo: AlbumPhoto
    cost: float
    reason: str


def best_references(
    face: SeenFace,
    taken: str | None,
    candidates: Sequence[tuple[AlbumFace, AlbumPhoto]],
    vectors: np.ndarray,
    copy: float,
) -> list[Choice]:
    """Faces of a person, the best reference for a face first; of copies of one exposure the best alone.

    Args:
        face: that is to be restored.
        taken: the day on which its photograph was taken, `YYYY-MM-DD`; None where nobody knows.
        candidates: the person's faces with their photographs.
        vectors: of those, (N, D), of unit length.
        copy: cosine from which two are copies.
    """
    costs = np.array([cost_of(face, taken, *one) for one in candidates])
    chosen: list[int] = []
    for place in np.argsort(costs, kind="stable").tolist():
        if not chosen or (vectors[chosen] @ vectors[place]).max() < copy:
            chosen.append(place)
    return [Choice(*candidates[one], float(costs[one]), reason_of(face, taken, *candidates[one])) for one in chosen]


def cost_of(face: SeenFace, taken: str | None, other: AlbumFace, photo: AlbumPhoto) -> float:
    """What speaks against a reference, 0 or more: its damage, what it lacks in size, how far it is turned otherwise,
    and the years between.

    Args:
        face, taken: see `best_references`.
        other, photo: the reference.
    """
    small = max(0.0, float(np.log2(LARGE / max(other.side, 1))))
    turned, years = turned_apart(face, other), years_apart(taken, photo.taken)
    apart = _UNDATED if years is None else years * _PER_YEAR
    return (1.0 if other.damage is None else other.damage) + 0.5 * small + (turned or 0) * _PER_DEGREE + apart


def turned_apart(face: SeenFace, other: AlbumFace) -> float | None:
    """Degrees by which two heads are turned otherwise, sideways and up or down together; None where one pose isn't
    known."""
    pose = face.pose if face.pose and face.pose.sure else None
    if pose is None or other.yaw is None or other.pitch is None:
        return None
    return float(np.hypot(pose.yaw - other.yaw, pose.pitch - other.pitch))


def years_apart(one: str | None, other: str | None) -> float | None:
    """Years between two days, `YYYY-MM-DD`; None where one isn't known."""
    if one is None or other is None:
        return None
    return abs((date.fromisoformat(one) - date.fromisoformat(other)).days) / 365.25


def reason_of(face: SeenFace, taken: str | None, other: AlbumFace, photo: AlbumPhoto) -> str:
    """What `cost_of` looks at, in words."""
    turned, years = turned_apart(face, other), years_apart(taken, photo.taken)
    sharp = "its size unknown" if other.damage is None else f"damage {other.damage:.2f}"
    said = [f"{sharp}, {other.side:.0f} px"]
    said += [] if turned is None else [f"turned {turned:.0f} degrees otherwise"]
    said += (
        [f"taken {photo.taken[:4]}" if photo.taken else "undated"] if years is None else [f"{years:.0f} years apart"]
    )
    return ", ".join(said)
