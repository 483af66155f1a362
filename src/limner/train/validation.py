"""How good a net is by now: figures of fixed validation cases, and a contact sheet of some of them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import torch
from torch import nn

from limner.data.faces import FaceSet
from limner.data.pairs import fixed_pairs
from limner.evaluate.report import contact_sheet
from limner.nets.identity import IdentityNet
from limner.pixels import to_picture, to_tensor

Net = TypeVar("Net", bound=nn.Module)
Case = TypeVar("Case")
Outcome = TypeVar("Outcome")
Score = Callable[[np.ndarray, np.ndarray], float]
"""A picture and the truth, (S, S, 3) uint8 each, to how good it is."""

SEVERE = "ffhq-ref-severe"
MEASURED = (SEVERE, "ffhq-ref-moderate")


@dataclass(frozen=True)
class Report:
    """What a validation finds.

    Attributes:
        figures: by name.
        sheet: (H, W, 3) uint8.
    """

    figures: Mapping[str, float]
    sheet: np.ndarray


@dataclass
class Validation(Generic[Net, Case, Outcome]):
    """Tries a net on cases that stay the same over a run, and reports figures and a contact sheet.

    Attributes:
        cases: makes the cases, in groups by name; it is asked once. A group's name stands before its figures' names.
        attempt: the net and a case to what comes out. The net is in evaluation mode, and no gradient is kept.
        figures: of a group's cases with what came out of each, by name.
        row: one row of the sheet: pictures (H, W, 3) uint8 by heading.
        shown: how many cases of each group the sheet shows.
    """

    cases: Callable[[], Mapping[str, Sequence[Case]]]
    attempt: Callable[[Net, Case], Outcome]
    figures: Callable[[Sequence[tuple[Case, Outcome]]], Mapping[str, float]]
    row: Callable[[Case, Outcome], Mapping[str, np.ndarray]]
    shown: int = 4

    @cached_property
    def groups(self) -> Mapping[str, Sequence[Case]]:
        """The cases, made when first needed."""
        return self.cases()

    def __call__(self, net: Net) -> Report:
        figures: dict[str, float] = {}
        rows: list[Mapping[str, np.ndarray]] = []
        for group, cases in self.groups.items():
            trials = [(case, self.attempt(net, case)) for case in cases]
            figures |= {f"{group} {name}".lstrip(): figure for name, figure in self.figures(trials).items()}
            rows += [self.row(*trial) for trial in trials[: self.shown]]
        return Report(figures, contact_sheet([list(row.values()) for row in rows], list(rows[0])))


def on_the_processor(report: Callable[[Net], Report]) -> Callable[[Net], Report]:
    """Measures a copy of the net on the processor, where the finder uses its nets whatever trained them.

    Args:
        report: what measures; it is given a net that it may keep.
    """

    def measured(net: Net) -> Report:
        twin = copy.deepcopy(net)
        nn.Module.to(twin, "cpu")
        return report(twin)

    return measured


class Pair(NamedTuple):
    """A degraded validation face and the true one, (S, S, 3) uint8 each."""

    lq: np.ndarray
    truth: np.ndarray


def degraded_faces(faces: FaceSet, size: int, presets: Sequence[str]) -> dict[str, list[Pair]]:
    """Validation faces under several degradations; each face is spoiled alike in every run.

    Args:
        faces: all of them are taken.
        size: side of the pictures in pixels.
        presets: see `limner.degrade.degrade.preset_names`.

    Returns:
        A group of faces for each preset, by its name.
    """
    return {preset: [Pair(*pair) for pair in fixed_pairs(faces, size, preset)] for preset in presets}


def severely_degraded_faces(faces: FaceSet, size: int) -> dict[str, list[Pair]]:
    """Validation faces under the severe preset, (size, size, 3), as one group without a name; see `degraded_faces`."""
    return {"": degraded_faces(faces, size, [SEVERE])[SEVERE]}


def restorations(
    cases: Callable[[], Mapping[str, Sequence[Pair]]],
    restored: Callable[[Net, np.ndarray], np.ndarray],
    scores: Mapping[str, Score],
    heading: str,
    shown: int = 4,
) -> Validation[Net, Pair, np.ndarray]:
    """The validation of a net that restores faces.

    Args:
        cases: as `Validation` has them.
        restored: the net and a degraded face, (S, S, 3) uint8, to the same restored.
        scores: what is measured of each, by name; a figure is the mean of a group.
        heading: of the restored faces on the sheet.
        shown: how many faces of each group the sheet shows.
    """
    return Validation(
        cases,
        attempt=lambda net, pair: restored(net, pair.lq),
        figures=lambda trials: {
            name: mean(score(picture, pair.truth) for pair, picture in trials) for name, score in scores.items()
        },
        row=lambda pair, picture: {"input": pair.lq, heading: picture, "truth": pair.truth},
        shown=shown,
    )


def mean(values: Iterable[float]) -> float:
    """The mean of numbers, of which there is at least one."""
    return float(np.mean(list(values)))


def through(net: nn.Module, picture: np.ndarray) -> np.ndarray:
    """What a net makes of one picture.

    Args:
        net: from (B, 3, H, W) in [0, 1] to the same.
        picture: (H, W, 3) uint8.

    Returns:
        (H, W, 3) uint8.
    """
    return to_picture(net(to_tensor(picture)[None].to(device_of(net)))[0])


def device_of(net: nn.Module) -> torch.device:
    """The device on which a net's parameters lie."""
    return next(net.parameters()).device


def likeness(recogniser: IdentityNet) -> Score:
    """The score of likeness: the cosine of a recogniser's vectors of two faces, -1 to 1.

    Args:
        recogniser: from (B, 3, H, W) in [0, 1] to unit vectors.
    """

    def score(picture: np.ndarray, truth: np.ndarray) -> float:
        ours, theirs = recogniser(torch.stack([to_tensor(picture), to_tensor(truth)]).to(recogniser.device))
        return float(ours @ theirs)

    return score
