"""A found face and how well the photograph shows it: how far it is turned, whether the edge cuts it, how large and how
damaged it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from limner.faces.damage import damage
from limner.faces.find import Face
from limner.faces.placing import Placing
from limner.faces.pose import Pose, pose_of

PROFILE = 60.0
"""Degrees of yaw from which a face is a profile: the nets know faces from the front, and paint a second eye into it."""
HALF_PROFILE = 45.0
"""Degrees of yaw from which hardly anything of the far side is to be seen."""


@dataclass(frozen=True, eq=False)
class SeenFace(Face):
    """A found face and how well the photograph shows it.

    Attributes:
        pose: how far it is turned; None of an aligned crop, in which nobody looked for points.
        outside: the part of its box that lies beyond the edge of the photograph, 0 to 1.
        enlarged: pixels of the net for one of the photograph, each way: above 1 the face is smaller than the net could
            show it.
        damage: 0 (as sharp as its size allows) to 1, see `limner.faces.damage`; None of a face too small to tell.
    """

    pose: Pose | None = None
    outside: float = 0.0
    enlarged: float = 1.0
    damage: float | None = None

    @property
    def turned(self) -> float | None:
        """Degrees by which it is turned from the front to either side, 0 to 90; None where that isn't known."""
        return abs(self.pose.yaw) if self.pose and self.pose.sure else None

    @property
    def profile(self) -> bool:
        """Whether it is known to be a profile."""
        return self.turned is not None and self.turned > PROFILE

    def as_json(self) -> dict[str, object]:
        """The face as `limner detect --json` prints it; null is what can't be told."""
        pose = self.pose if self.pose and self.pose.sure else None
        return {
            "number": self.number,
            "box": [round(float(v), 2) for v in self.box],
            "landmarks": [[round(float(x), 2), round(float(y), 2)] for x, y in self.landmarks],
            "score": round(float(self.score), 4),
            "yaw": pose and round(pose.yaw, 1),
            "pitch": pose and round(pose.pitch, 1),
            "roll": pose and round(pose.roll, 1),
            "residual": self.pose and round(self.pose.residual, 3),
            "outside": round(self.outside, 3),
            "enlarged": round(self.enlarged, 3),
            "damage": None if self.damage is None else round(self.damage, 3),
        }


def seen(rgb: np.ndarray, face: Face, placing: Placing, size: int) -> SeenFace:
    """Looks at a face.

    Args:
        rgb: (H, W, 3) uint8, the photo.
        face: one that `placing` has found in it.
        placing: how faces lie in the photo.
        size: of the net's crop in pixels.
    """
    matrix = placing.matrix(rgb, face, size)
    return SeenFace(
        face.box,
        face.landmarks,
        face.score,
        face.number,
        pose=pose_of(face.landmarks) if placing.surrounded else None,
        outside=outside(face.box, rgb.shape[1], rgb.shape[0]),
        enlarged=float(np.sqrt(abs(np.linalg.det(matrix[:, :2])))),
        damage=damage(rgb, face.landmarks),
    )


def outside(box: tuple[float, float, float, float], width: int, height: int) -> float:
    """The part of a box, x0, y0, x1, y1, that lies beyond the edges of a photo of width x height pixels, 0 to 1."""
    x0, y0, x1, y1 = box
    across, down = min(x1, width) - max(x0, 0), min(y1, height) - max(y0, 0)
    return 1 - max(across, 0) * max(down, 0) / max((x1 - x0) * (y1 - y0), 1e-9)
