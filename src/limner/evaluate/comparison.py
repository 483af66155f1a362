"""What a metric looks at: restored faces beside what they should have been. Pictures are (S, S, 3) uint8 RGB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from limner.degrade.degrade import Degradation
from limner.evaluate.identity import Recogniser, vectors


@dataclass(frozen=True)
class Likeness:
    """How like their truths faces are, as one recogniser sees them.

    Attributes:
        own: (N,) float64, cosine similarity of each face to its own truth.
        nearest: (N,) bool, whether the truth that is nearest to it, of all in the gallery, is its own; None without a
            gallery.
    """

    own: np.ndarray
    nearest: np.ndarray | None = None


@dataclass(frozen=True)
class Comparison:
    """N restored faces beside what they should have been.

    Attributes:
        pictures: the restored faces.
        truths: what should have come back.
        inputs: what they were restored from.
        likeness: by the recognisers' names.
        input_likeness: cosine similarity to the inputs, (N,), likewise.
        person_likeness: cosine similarity to other photographs of the person, the mean over them, (N,), likewise.
        degradations: what turned the truths into the inputs.
        points: the faces' landmarks, those of the restored face or None where they are to be found, and the true ones.
    """

    pictures: Sequence[np.ndarray]
    truths: Sequence[np.ndarray]
    inputs: Sequence[np.ndarray]
    likeness: Mapping[str, Likeness]
    input_likeness: Mapping[str, np.ndarray] = field(default_factory=dict)
    person_likeness: Mapping[str, np.ndarray] = field(default_factory=dict)
    degradations: Sequence[Degradation] = ()
    points: Sequence[tuple[np.ndarray | None, np.ndarray]] = ()


class Gallery:
    """The true faces of a run as recognisers see them, which is computed once.

    Args:
        truths: G faces, all of one size; they may be made when they are asked for.
        recognisers: by their names.
    """

    def __init__(self, truths: Sequence[np.ndarray], recognisers: Mapping[str, Recogniser]):
        self.truths, self.recognisers = truths, recognisers
        self.vectors = {name: vectors(recogniser, truths) for name, recogniser in recognisers.items()}

    def compare(
        self,
        pictures: Sequence[np.ndarray],
        inputs: Sequence[np.ndarray],
        places: Sequence[int] | None = None,
        left_out: Sequence[Sequence[int]] = (),
    ) -> Comparison:
        """Restored faces beside their truths.

        Args:
            pictures: N restored faces, of the truths' size.
            inputs: what they were restored from.
            places: of their truths in the gallery; by default theirs are all, in their order.
            left_out: for each face the places that it can't be taken for.
        """
        mine = np.arange(len(self.truths)) if places is None else np.asarray(places)
        likeness = {}
        for name, recogniser in self.recognisers.items():
            cosines = vectors(recogniser, pictures) @ self.vectors[name].T
            for row, others in enumerate(left_out):
                cosines[row, list(others)] = -1
            own = cosines[np.arange(len(mine)), mine]
            likeness[name] = Likeness(own, cosines.argmax(axis=1) == mine)
        return Comparison(pictures, [self.truths[place] for place in mine.tolist()], inputs, likeness)
