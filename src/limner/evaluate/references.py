"""Does a reference bring the person back? Identity after restoration with the right references, none, and wrong ones.

Everybody of a split with several photographs takes part. Each photograph is spoiled, and restored three times from the
same noise: without references, with the person's other photographs, and with as many of somebody else. Similarity to
the undamaged photograph is told by the embedded recogniser and by a measure that no training used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from limner.data.faces import FaceSet, Split
from limner.data.pairs import fixed_pairs
from limner.errors import LimnerError
from limner.evaluate.identity import Measure, embed
from limner.evaluate.metrics import psnr
from limner.methods.clrface import CLRFacePipeline
from limner.methods.refldm import RefLDMPipeline
from limner.pixels import to_picture, to_tensor
from limner.restorer import Restorer, seed_of

GIVEN = ("none", "right", "wrong")
"""References that a face is restored with."""


@dataclass(frozen=True)
class Identity:
    """One row: how like the truth the pictures are, by one measure.

    Attributes:
        measure: name of the measure.
        pictures: `input`, or `references: ` and which.
        mean, spread: of the cosine similarity to the truth; the spread is its standard deviation over the faces.
        gain, error: mean difference to the restoration without references, and its standard error.
        better: share of the faces that are more like the truth than without references.
        rank1: share of the faces whose nearest truth, of all faces of the gallery, is their own; the person's other
            photographs, which serve as references, are left out of it.
        psnr: mean, dB.
    """

    measure: str
    pictures: str
    mean: float
    spread: float
    gain: float
    error: float
    better: float
    rank1: float
    psnr: float


@dataclass
class ReferenceMeasurement:
    """The rows of one run, and the pictures behind them: for every face the input, its right and its wrong reference,
    the three restorations, the truth."""

    preset: str
    faces: int
    people: int
    gallery: int
    rows: list[Identity]
    pictures: list[list[np.ndarray]]


COLUMNS = ["input", "reference", "none", "right", "wrong person", "wrong", "truth"]


def reference_test(
    data: Path,
    preset: str,
    restorer: Restorer,
    recognisers: Mapping[str, Measure],
    *,
    splits: Sequence[Split] = ("test", "held-out"),
    limit: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ReferenceMeasurement:
    """The protocol `references`.

    Args:
        data: folder of aligned faces with its tables.
        preset: degradation, see `limner.degrade.degrade.preset_names`.
        restorer: of a method that uses references, without any of its own.
        recognisers: measures of identity by their names.
        splits: whose people are taken, those with two photographs or more; the gallery is all faces of the splits.
        limit: the first so many photographs only.
        progress: called with (faces done, of how many).

    Raises:
        LimnerError: if the method can't use references, the folder lacks its tables, or nobody in the splits has two
            photographs.
    """
    if not isinstance(restorer.method.pipeline, RefLDMPipeline | CLRFacePipeline):
        raise LimnerError(f"The method '{restorer.settings.method}' can't use references: measure refldm or clrface.")
    pairs, people = _pairs(data, preset, restorer.size, splits)
    groups = {person: [i for i, one in enumerate(people) if one == person] for person in people}
    several = [person for person, places in groups.items() if len(places) > 1]
    if len(several) < 2:
        raise LimnerError(f"{data} has nobody with two photographs in {' and '.join(splits)}: measure other splits.")
    cases = []
    for number, person in enumerate(several):
        stranger = groups[several[(number + 1) % len(several)]]
        for place in groups[person]:
            right = [one for one in groups[person] if one != place]
            cases.append((place, right, [stranger[i % len(stranger)] for i in range(len(right))]))
    cases = cases[:limit]
    results: dict[str, list[np.ndarray]] = {given: [] for given in GIVEN}
    for number, (place, right, wrong) in enumerate(cases):
        for given, places in zip(GIVEN, ([], right, wrong), strict=True):
            references = torch.stack([to_tensor(pairs[one][1]) for one in places]) if places else None
            out = restorer.method(
                to_tensor(pairs[place][0])[None],
                references=[references],
                **asdict(restorer.options),
                finish=restorer.finish,
                generator=torch.Generator().manual_seed(seed_of(restorer.settings.seed, number, 0)),
            )
            results[given].append(to_picture(out.images[0]))
        if progress:
            progress(number + 1, len(cases))
    places = [place for place, _, _ in cases]
    mates = [right for _, right, _ in cases]
    truths = [truth for _, truth in pairs]
    shown = {"input": [pairs[place][0] for place in places]} | {f"references: {g}": results[g] for g in GIVEN}
    rows = []
    for name, recogniser in recognisers.items():
        rows += _rows(name, recogniser, shown, truths, places, mates)
    pictures = [
        [
            pairs[place][0],
            truths[right[0]],
            results["none"][i],
            results["right"][i],
            truths[wrong[0]],
            results["wrong"][i],
            truths[place],
        ]
        for i, (place, right, wrong) in enumerate(cases)
    ]
    return ReferenceMeasurement(preset, len(cases), len({people[p] for p in places}), len(truths), rows, pictures)


def _pairs(
    data: Path, preset: str, size: int, splits: Iterable[Split]
) -> tuple[list[tuple[np.ndarray, np.ndarray]], list[str]]:
    """(degraded, clean) and the person of all faces of the splits."""
    pairs, people = [], []
    for split in splits:
        faces = FaceSet.open(data, split)
        pairs += fixed_pairs(faces, size, preset)
        people += faces.people
    return pairs, people


def _rows(
    name: str,
    recogniser: Measure,
    shown: Mapping[str, Sequence[np.ndarray]],
    truths: Sequence[np.ndarray],
    places: Sequence[int],
    mates: Sequence[Sequence[int]],
) -> list[Identity]:
    gallery = vectors(recogniser, truths)
    alike = {kind: vectors(recogniser, pictures) @ gallery.T for kind, pictures in shown.items()}
    for cosines in alike.values():
        for row, others in enumerate(mates):  # a result looks like its reference, and would find that one
            cosines[row, list(others)] = -1
    own = {kind: cosines[np.arange(len(places)), places] for kind, cosines in alike.items()}
    alone = own["references: none"]
    rows = []
    for kind, cosines in own.items():
        gain = cosines - alone
        rows.append(
            Identity(
                measure=name,
                pictures=kind,
                mean=float(cosines.mean()),
                spread=float(cosines.std()),
                gain=float(gain.mean()),
                error=float(gain.std(ddof=1) / np.sqrt(len(gain))) if len(gain) > 1 else float("nan"),
                better=float((gain > 0).mean()),
                rank1=float((alike[kind].argmax(axis=1) == places).mean()),
                psnr=float(np.mean([psnr(a, truths[p]) for a, p in zip(shown[kind], places, strict=True)])),
            )
        )
    return rows


@torch.inference_mode()
def vectors(recogniser: Measure, pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Unit vectors of pictures, (S, S, 3) uint8 each: (N, D) float64."""
    return embed(recogniser, torch.stack([to_tensor(picture) for picture in pictures])).double().cpu().numpy()
