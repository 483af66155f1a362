"""Several results of one photo: how far they differ, and which are most like the person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from limner.faces.references import References
from limner.settings import Settings
from limner.weights.load import WeightsInfo

HARDLY = 3.5
"""Mean difference, of 255, below which results look alike."""


def difference(results: Sequence[np.ndarray], invented: np.ndarray) -> float:
    """How far results differ where something was restored, on the mean, 0 to 255.

    Args:
        results: at least two, (H, W, 3) uint8 or uint16.
        invented: (H, W), above 0 where something was restored.

    Returns:
        The mean absolute difference of the others from the first; 0 where nothing was restored.
    """
    where = invented > 0
    if not where.any():
        return 0.0
    first, *others = (one[where].astype(np.float32) * (255 / np.iinfo(one.dtype).max) for one in results)
    return float(np.mean([np.abs(one - first).mean() for one in others]))


def note_on_samples(results: Sequence[np.ndarray], invented: np.ndarray, freer: str) -> list[str]:
    """Says so where several results look alike.

    Args:
        results, invented: see `difference`; a single result is none of several.
        freer: options of the method that make its results differ more.

    Returns:
        Sentences for the user.
    """
    if len(results) < 2 or not invented.any() or (apart := difference(results, invented)) >= HARDLY:
        return []
    return [
        f"The {len(results)} results differ by {apart:.1f} of 255 in the faces, which is hardly to be seen"
        + (f": {freer} makes them freer, and less true to the photo." if freer else ".")
    ]


def most_like(samples: Sequence[np.ndarray], person: References) -> list[int]:
    """The places of a face's samples, those first that the recogniser finds most like the person.

    Args:
        samples: (S, S, 3) float32 in [0, 1] each.
        person: references; without any the samples stay in their order.
    """
    if not person:
        return list(range(len(samples)))
    likeness = person.likeness([np.rint(255 * one).astype(np.uint8) for one in samples])
    return np.argsort(-likeness, kind="stable").tolist()


def note_on_kept(numbers: Sequence[Sequence[int]], settings: Settings) -> list[str]:
    """Says which samples were kept, if not all were.

    Args:
        numbers: of each face, its kept samples, the best first.
        settings: of the run.
    """
    if not settings.keep or not numbers:
        return []
    which = "; ".join(", ".join(str(number + 1) for number in of_face) for of_face in numbers)
    faces = "face by face " if len(numbers) > 1 else ""
    return [f"Of {settings.samples} samples those most like the person were kept: {faces}number {which}."]


def note_on_blend(matrices: Sequence[np.ndarray], weights: WeightsInfo, settings: Settings) -> list[str]:
    """A sentence where a plain blend takes more from faces than the weights give.

    Args:
        matrices: of the faces, the 2x3 from the photo to the crop.
        weights: what is known of them.
        settings: how the photo is restored.
    """
    scales = [float(np.sqrt(abs(np.linalg.det(matrix[:, :2])))) for matrix in matrices]
    larger = sum(scale < 0.75 for scale in scales)
    if not larger or settings.strength == "auto":
        return []
    return [
        f"{larger} of {len(scales)} faces are larger in the photo than the {weights.size} px of the weights "
        f"'{weights.name}', so the restored face can be softer than a sharp original: leave --strength at auto, or use "
        "weights of a larger size."
    ]
