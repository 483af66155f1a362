"""Validation faces that are degraded once, so that every measurement of a run sees the same."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from limner.data.faces import FaceSet
from limner.data.pairs import fixed_pairs

MEASURED = ("ffhq-ref-severe", "ffhq-ref-moderate")


@dataclass
class FixedFaces:
    """The first faces of a set with their degraded twins, made when first needed.

    Attributes:
        faces: of the validation split.
        size: side in pixels.
        limit: how many.
    """

    faces: FaceSet
    size: int
    limit: int
    made: dict[str, list[tuple[np.ndarray, np.ndarray]]] = field(default_factory=dict)

    def pairs(self, preset: str) -> list[tuple[np.ndarray, np.ndarray]]:
        """(degraded, clean) of each face, (S, S, 3) uint8."""
        if preset not in self.made:
            self.made[preset] = fixed_pairs(self.faces.first(self.limit), self.size, preset)
        return self.made[preset]
