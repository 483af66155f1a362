"""The protocol `references`: does a reference bring the person back? Identity after restoration with the right
references, none, and wrong ones.

Everybody of a split with several photographs takes part. Each photograph is spoiled, and restored three times from the
same noise: without references, with the person's other photographs, and with as many of somebody else. Similarity to
the undamaged photograph is judged by the embedded recogniser and by a measure that no training used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch

from limner.data.faces import FaceSet
from limner.data.pairs import fixed_pairs
from limner.errors import LimnerError
from limner.evaluate.comparison import Comparison, Gallery
from limner.evaluate.hog import HogIdentity
from limner.evaluate.identity import Recogniser
from limner.evaluate.metric import rank1
from limner.evaluate.metric_registry import PSNR
from limner.evaluate.protocols import Request
from limner.evaluate.report import Column, Report, Row, Sheet
from limner.methods import METHODS
from limner.pixels import to_picture, to_tensor
from limner.restorer import Restorer, seed_of
from limner.weights.load import load_identity

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

SHOWN = ["input", "reference", "none", "right", "wrong person", "wrong", "truth"]
"""Headings of the contact sheet."""


@dataclass(frozen=True)
class Photographs:
    """All faces of the splits: (degraded, clean) as (S, S, 3) uint8, and who they show."""

    pairs: list[tuple[np.ndarray, np.ndarray]]
    people: list[str]

    @classmethod
    def of(cls, request: Request, size: int) -> Photographs:
        pairs, people = [], []
        for split in request.splits:
            faces = FaceSet.open(request.data, split)
            pairs += fixed_pairs(faces, size, request.preset)
            people += faces.people
        return cls(pairs, people)


@dataclass(frozen=True)
class Case:
    """One photograph that is restored: its place, those of the person's others, and as many of somebody else."""

    place: int
    right: list[int]
    wrong: list[int]


def run(request: Request, restorers: Mapping[str, Restorer]) -> Report:
    """Measures one method by the embedded recogniser and HOG, see `reference_test`."""
    (restorer,) = restorers.values()
    return reference_test(request, restorer, {"mini/identity": load_identity("mini"), "HOG": HogIdentity()})


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
    inputs = [photographs.pairs[case.place][0] for case in cases]
    truths = [truth for _, truth in photographs.pairs]
    results = restored(request, restorer, photographs, cases)
    gallery = Gallery(truths, recognisers)
    places, mates = [case.place for case in cases], [case.right for case in cases]
    seen = {
        kind: gallery.compare(pictures, inputs, places, mates)
        for kind, pictures in {"input": inputs, **{f"references: {given}": results[given] for given in GIVEN}}.items()
    }
    faces, people = len(cases), len({photographs.people[place] for place in places})
    facts = {"preset": request.preset, "faces": faces, "people": people, "gallery": len(truths)}
    return Report(
        {"protocol": "references", **facts},
        [row(name, kind, seen) for name in recognisers for kind in seen],
        COLUMNS,
        note=f"{faces} photographs of {people} people under {request.preset}; gallery of {len(truths)} faces.",
        sheet=Sheet(
            [
                [inputs[i], truths[case.right[0]], none, right, truths[case.wrong[0]], wrong, truths[case.place]]
                for i, (case, none, right, wrong) in enumerate(zip(cases, *results.values(), strict=True))
            ],
            SHOWN,
        ),
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


def restored(
    request: Request, restorer: Restorer, photographs: Photographs, cases: Sequence[Case]
) -> dict[str, list[np.ndarray]]:
    """The cases' photographs, restored from the same noise with each kind of references, by its name in `GIVEN`."""
    results: dict[str, list[np.ndarray]] = {given: [] for given in GIVEN}
    for number, case in enumerate(cases):
        for given, places in zip(GIVEN, ([], case.right, case.wrong), strict=True):
            references = [to_tensor(photographs.pairs[place][1]) for place in places]
            out = restorer.method(
                to_tensor(photographs.pairs[case.place][0])[None],
                references=[torch.stack(references) if references else None],
                finish=restorer.finish,
                **asdict(restorer.options),
                generator=torch.Generator().manual_seed(seed_of(restorer.settings.seed, number, 0)),
            )
            results[given].append(to_picture(out.images[0]))
        request.done(number + 1, len(cases))
    return results


def row(recogniser: str, kind: str, seen: Mapping[str, Comparison]) -> Row:
    """What one recogniser says about one kind of pictures."""
    likeness = seen[kind].likeness[recogniser]
    gain = likeness.own - seen["references: none"].likeness[recogniser].own
    return Row(
        {
            "measure": recogniser,
            "pictures": kind,
            "mean": float(likeness.own.mean()),
            "spread": float(likeness.own.std()),
            "gain": float(gain.mean()),
            "error": float(gain.std(ddof=1) / np.sqrt(len(gain))) if len(gain) > 1 else float("nan"),
            "better": float((gain > 0).mean()),
            "rank1": float(np.mean(rank1(recogniser)(seen[kind]))),
            PSNR.key: PSNR.mean(PSNR.of(seen[kind])),
        }
    )
