"""The protocol `references`: does a reference bring the person back? Identity after restoration with the right
references, none, and wrong ones.

Everybody of a split with several photographs takes part. Each photograph is spoiled, and restored three times from the
same noise: without references, with the person's other photographs, and with as many of somebody else. Similarity to
the undamaged photograph is judged by the embedded recogniser and by a measure that no training used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
import torch

from limner.data.faces import FaceSet
from limner.data.pairs import FixedPairs, Pair
from limner.errors import LimnerError
from limner.evaluate.comparison import Comparison, Gallery
from limner.evaluate.identity import Recogniser, judges
from limner.evaluate.lazy import Lazy
from limner.evaluate.metric import rank1
from limner.evaluate.metric_registry import PSNR
from limner.evaluate.protocols import Request
from limner.evaluate.report import Column, Report, Row, Sheet
from limner.evaluate.side_by_side import SHOWN, spread
from limner.methods import METHODS
from limner.methods.crops import seed_of
from limner.pixels import to_picture, to_tensor
from limner.restorer import Restorer

GIVEN = ("none", "right", "wrong")
"""References that a face is restored with."""

COLUMNS = (
    Column("measure", "measure"),
    Column("pictures", "pictures"),
    Column("mean", "similarity to the truth", ".3f", " ± {spread:.3f}"),
    Column("gain", "against none", "+.3f", " (error {error:.3f})"),
    Column("better", "better", ".0%"),
    Column("rank1", "rank 1", ".1%"),
    PSNR,
)
"""`measure` is the name of the recogniser, `pictures` is `input` or which references; `mean` and `spread` are the
cosine similarity to the truth and its standard deviation over the faces; `gain` and `error` are the mean difference to
the restoration without references and its standard error; `better` is the share of the faces that are more like the
truth than without references; `rank1` the share whose nearest truth, of all faces of the gallery, is their own, the
person's other photographs, which serve as references, being left out of it."""

HEADINGS = ["input", "reference", "none", "right", "wrong person", "wrong", "truth"]
"""Headings of the contact sheet."""


@dataclass(frozen=True)
class Photographs:
    """All faces of the splits, made when they are asked for: (degraded, clean) as (S, S, 3) uint8, and whom they
    show."""

    pairs: Lazy[Pair]
    people: list[str]

    @classmethod
    def of(cls, request: Request, size: int) -> Photographs:
        """Those of the request's splits, one split after the other, at (size, size, 3)."""
        splits = [FixedPairs(FaceSet.open(request.data, one), size, request.preset) for one in request.splits]
        places = [(pairs, place) for pairs in splits for place in range(len(pairs))]
        people = [person for pairs in splits for person in pairs.faces.people]
        return cls(Lazy(len(places), lambda number: places[number][0][places[number][1]]), people)

    @property
    def truths(self) -> Lazy[np.ndarray]:
        """The clean ones alone."""
        return Lazy(len(self.pairs), lambda place: self.pairs[place][1])


@dataclass(frozen=True)
class Case:
    """One photograph that is restored: its place, those of the person's others, and as many of somebody else."""

    place: int
    right: list[int]
    wrong: list[int]

    def references(self, given: str) -> list[int]:
        """Places of those that are given with this case: one of `GIVEN`."""
        return {"none": [], "right": self.right, "wrong": self.wrong}[given]


@dataclass
class Told:
    """What is told of one kind of pictures, face by face.

    Attributes:
        own: cosine similarity of each face to its truth, by the recognisers' names.
        nearest: whether the truth nearest to it is its own, likewise.
        psnr: of each face, in dB.
    """

    own: dict[str, list[float]] = field(default_factory=dict)
    nearest: dict[str, list[bool]] = field(default_factory=dict)
    psnr: list[float] = field(default_factory=list)

    def add(self, seen: Comparison) -> None:
        """One face more."""
        for name, likeness in seen.likeness.items():
            self.own.setdefault(name, []).append(float(likeness.own[0]))
            self.nearest.setdefault(name, []).append(bool(rank1(name)(seen)[0]))
        self.psnr.append(float(PSNR.of(seen)[0]))


def run(request: Request, restorers: Mapping[str, Restorer]) -> Report:
    """Measures one method by all `judges`, see `reference_test`."""
    (restorer,) = restorers.values()
    return reference_test(request, restorer, judges())


def reference_test(request: Request, restorer: Restorer, recognisers: Mapping[str, Recogniser]) -> Report:
    """Restores with the right references, none and wrong ones, and tells identity.

    Args:
        request: what to measure: of the splits those people who have two photographs or more; the gallery is all faces
            of the splits, and the limit counts photographs.
        restorer: of a method that uses references, without any of its own.
        recognisers: by their names.

    Raises:
        LimnerError: if the method can't use references, the folder lacks its tables, or nobody in the splits has two
            photographs.
    """
    if not restorer.method.pipeline.paper.info.references:
        able = " or ".join(name for name, one in METHODS.items() if one.info.references)
        raise LimnerError(f"The method '{restorer.settings.method}' can't use references: measure {able}.")
    photographs = Photographs.of(request, restorer.size)
    cases = cases_of(photographs.people)
    if not cases:
        splits = " and ".join(request.splits)
        raise LimnerError(f"{request.data} has nobody with two photographs in {splits}: measure other splits.")
    cases = cases[: request.limit]
    gallery = Gallery(photographs.truths, recognisers)
    told, shown = measured(request, restorer, photographs, cases, gallery)
    faces, people = len(cases), len({photographs.people[case.place] for case in cases})
    facts = {"preset": request.preset, "faces": faces, "people": people, "gallery": len(photographs.pairs)}
    return Report(
        {"protocol": "references", **facts},
        [row(name, kind, told) for name in recognisers for kind in told],
        COLUMNS,
        note=f"{faces} photographs of {people} people under {request.preset}; gallery of {len(photographs.pairs)} "
        "faces.",
        sheet=Sheet(shown, HEADINGS),
    )


def cases_of(people: Sequence[str]) -> list[Case]:
    """Each photograph of everybody who has several; wrong references are the next such person's. None if there is but
    one such person."""
    groups = {person: [i for i, one in enumerate(people) if one == person] for person in people}
    several = [places for places in groups.values() if len(places) > 1]
    if len(several) < 2:
        return []
    cases = []
    for own, stranger in zip(several, several[1:] + several[:1], strict=True):
        for place in own:
            right = [one for one in own if one != place]
            cases.append(Case(place, right, [stranger[i % len(stranger)] for i in range(len(right))]))
    return cases


def measured(
    request: Request, restorer: Restorer, photographs: Photographs, cases: Sequence[Case], gallery: Gallery
) -> tuple[dict[str, Told], list[list[np.ndarray]]]:
    """The cases' photographs, restored from the same noise with each kind of references, one after the other.

    Returns:
        What is told of the inputs and of each kind of restorations, and the pictures of some cases under `HEADINGS`.
    """
    told = {kind: Told() for kind in ("input", *map(kind_of, GIVEN))}
    kept, sheet = spread(range(len(cases)), SHOWN), []
    for number, case in enumerate(cases):
        lq, truth = photographs.pairs[case.place]
        seed = seed_of(restorer.settings.seed, number, 0)
        results = {given: restored(restorer, lq, photographs, case.references(given), seed) for given in GIVEN}
        for kind, picture in {"input": lq, **{kind_of(given): one for given, one in results.items()}}.items():
            told[kind].add(gallery.compare([picture], [lq], [case.place], [case.right]))
        if number in kept:
            right, wrong = (photographs.truths[places[0]] for places in (case.right, case.wrong))
            sheet.append([lq, right, results["none"], results["right"], wrong, results["wrong"], truth])
        request.done(number + 1, len(cases))
    return told, sheet


def restored(
    restorer: Restorer, lq: np.ndarray, photographs: Photographs, places: Sequence[int], seed: int
) -> np.ndarray:
    """A degraded face, (S, S, 3) uint8, restored with the photographs of those places as references."""
    references = [to_tensor(photographs.truths[place]) for place in places]
    out = restorer.method(
        to_tensor(lq)[None],
        references=[torch.stack(references) if references else None],
        finish=restorer.finish,
        **asdict(restorer.options),
        generator=torch.Generator().manual_seed(seed),
    )
    return to_picture(out.images[0])


def kind_of(given: str) -> str:
    """What the table calls restorations with references of `GIVEN`."""
    return f"references: {given}"


def row(recogniser: str, kind: str, told: Mapping[str, Told]) -> Row:
    """What one recogniser says about one kind of pictures."""
    own, without = (np.array(told[one].own[recogniser]) for one in (kind, kind_of("none")))
    gain = own - without
    return Row(
        {
            "measure": recogniser,
            "pictures": kind,
            "mean": float(own.mean()),
            "spread": float(own.std()),
            "gain": float(gain.mean()),
            "error": float(gain.std(ddof=1) / np.sqrt(len(gain))) if len(gain) > 1 else float("nan"),
            "better": float((gain > 0).mean()),
            "rank1": float(np.mean(told[kind].nearest[recogniser])),
            PSNR.key: PSNR.mean(np.array(told[kind].psnr)),
        }
    )
