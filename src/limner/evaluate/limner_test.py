"""The protocol `limner-test`: faces of a split at the weights' size, each spoiled by a generator seeded with its file's
name, restored as aligned crops.

A row each for the input, every method, and what stands beside it: what it gives without diffusion (`estimator`,
DifFace's first guess; `stage A`, LD-BFR's; `IRN`, CLR-Face's identity recovery network), and `ceiling`, the truth
through a latent method's autoencoder.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from torch import nn

from limner.data.pairs import fixed_pairs
from limner.errors import LimnerError
from limner.evaluate.evaluate import SUMMARY
from limner.evaluate.extractors import standard_extractors
from limner.evaluate.measure import Measures, measures_of
from limner.evaluate.measured import Measured
from limner.evaluate.picture_sets import Seen, picture_of
from limner.evaluate.protocols import Request
from limner.evaluate.report import METHOD, SECONDS, Report, Row, Sheet
from limner.evaluate.report_files.evaluation import Evaluation, UsedWeights, weights_of_extractors
from limner.evaluate.report_files.write import HTML, write_report
from limner.evaluate.summary import Summary
from limner.faces.align import stretch
from limner.faces.put_back import PutBack
from limner.faces.tone import keep_tone, tone
from limner.methods.loaded import LoadedMethod
from limner.photo.photo import Photo
from limner.photo.write import save_png
from limner.pixels import to_picture, to_tensor
from limner.restorer import Restorer
from limner.weights import find

NAME, INPUT = "limner-test", "input"
SHOWN = 8
"""Faces on the contact sheet."""
Shown = TypeVar("Shown")

Pair = tuple[np.ndarray, np.ndarray]
"""A degraded face and its truth, (S, S, 3) uint8."""

Way = Callable[[np.ndarray, np.ndarray, int], np.ndarray]
"""From the degraded face, the truth and the face's place in the split to a picture; faces are (S, S, 3) uint8."""


def run(request: Request, restorers: Mapping[str, Restorer]) -> Report:
    """Measures methods side by side, each face by itself; the figures are means over all faces.

    Args:
        request: what to measure.
        restorers: methods and settings by the names of their rows, of one sample; the seed of a face's noise is its
            place in the split.

    Raises:
        LimnerError: if the folder lacks its tables, there is no such preset, or the restorers work at several sizes.
    """
    faces = request.first_faces()
    pairs = fixed_pairs(faces, common_size(restorers), request.preset)
    ways: dict[str, Way] = {INPUT: lambda lq, truth, number: lq}
    for name, restorer in restorers.items():
        ways = ways | bounds(restorer.method) | {name: whole(restorer)}
    measures = measures_of(NAME, standard_extractors(), timed=True)
    facts = {"protocol": NAME, "preset": request.preset, "faces": len(pairs)}
    with request.folder() as folder:
        names = [Path(file).stem for file in faces.files]
        results = {name: folder / file_name(name) for name in ways}
        tables = {name: measures.open(results[name]) for name in ways}
        for table in tables.values():
            table.check_names(names)
        for number, (name, pair) in enumerate(zip(names, pairs, strict=True)):
            for row, way in ways.items():
                if name not in tables[row].names:
                    restore_and_measure(measures, tables[row], way, name, pair, number)
            request.done(number + 1, len(pairs))
        summaries = {row: measures.summary(row, tables[row], facts) for row in ways}
        for row, summary in summaries.items():
            summary.save(results[row] / SUMMARY)
        if request.output is not None:
            pair_of = dict(zip(names, pairs, strict=True))

            def see(row: str, name: str) -> Seen:
                return Seen(name, picture_of(results[row] / f"{name}.png"), pair_of[name][1], pair_of[name][0])

            weights = [*weights_of(restorers), *weights_of_extractors(measures.extractors)]
            write_report(folder, Evaluation(NAME, [*summaries.values()], see, weights, ceilings_of(restorers)))
        shown = [
            [*(picture_of(results[row] / f"{name}.png") for row in ways), truth]
            for name, (_, truth) in spread(list(zip(names, pairs, strict=True)), SHOWN)
        ]
    return Report(
        facts,
        [Row({METHOD.key: row, **values(summary)}) for row, summary in summaries.items()],
        (METHOD, *(one for one in (*measures.metrics, *measures.set_metrics) if one.brief), SECONDS),
        note="" if request.output is None else f"The report: {request.output / HTML}",
        sheet=Sheet(shown, [*ways, "truth"]),
    )


def restore_and_measure(measures: Measures, measured: Measured, way: Way, name: str, pair: Pair, number: int) -> None:
    """One face goes one way; its picture is kept beside its figures."""
    if not measured.names:
        way(*pair, number)  # a net's first run pays for its set-up
    started = time.perf_counter()
    picture = way(*pair, number)
    seconds = time.perf_counter() - started
    save_png(measured.folder / f"{name}.png", picture)
    measures.add(measured, Seen(name, picture, pair[1], pair[0]), seconds)


def values(summary: Summary) -> dict[str, float]:
    """The estimates alone, by key."""
    return {key: one.value for key, one in summary.estimates.items()}


def spread(things: list[Shown], most: int) -> list[Shown]:
    """At most so many of them, evenly spread."""
    picked = np.linspace(0, len(things) - 1, min(most, len(things))).round().astype(int)
    return [things[place] for place in picked]


def file_name(row: str) -> str:
    """A row's name as that of a folder: `ldbfr@25` stays, `stage A` becomes `stage-a`."""
    return row.lower().replace(" ", "-").replace("/", "-")


def weights_of(restorers: Mapping[str, Restorer]) -> list[UsedWeights]:
    """The weights that restore and finish, and those that join every restoration with its photo."""
    used = []
    for row, restorer in restorers.items():
        info, parts = restorer.method.info, restorer.method.pipeline.components
        nets = ", ".join(name for name, part in parts.items() if isinstance(part, nn.Module))
        used.append(UsedWeights(f"{info.name}, {info.origin}", f"restoring: {row} ({nets})", info.licence))
        if restorer.finish:
            used.append(UsedWeights("mini/difface-prior", f"finishing: {row}", find("mini/difface-prior").licence))
    joining = [find(name) for name in ("mini/clean", "mini/fusion")]
    return [*used, *(UsedWeights(one.name, "joining a restoration with its photo", one.licence) for one in joining)]


def ceilings_of(restorers: Mapping[str, Restorer]) -> frozenset[str]:
    """The names of the rows that are shown the truth."""
    return frozenset(name for restorer in restorers.values() for name in restorer.method.pipeline.ceilings())


def common_size(restorers: Mapping[str, Restorer]) -> int:
    """Side of the crops that all work at, in pixels.

    Raises:
        LimnerError: if they work at several sizes.
    """
    sizes = sorted({restorer.size for restorer in restorers.values()})
    if len(sizes) > 1:
        raise LimnerError(f"The methods work at {' and '.join(map(str, sizes))} px: measure them in runs of their own.")
    return sizes[0]


def whole(restorer: Restorer) -> Way:
    """A method with its settings, and its result joined with the face that it was given, as users get it."""
    settings = replace(restorer.settings, aligned=True)

    def joined(lq: np.ndarray, truth: np.ndarray, number: int) -> np.ndarray:
        (after,) = restorer.restore_crops([lq], [number])
        back, tint = PutBack(Photo(lq, "PNG"), lq, settings, restorer.joiner), tone(lq)
        toned = keep_tone(lq.astype(np.float32) / 255, after.samples[0], tint)
        back.face([toned], stretch(len(lq), len(lq), restorer.size), tint, [0])
        return back.canvases[0]

    return joined


def bounds(method: LoadedMethod) -> dict[str, Way]:
    """The ceilings of a method, and what it gives without diffusion, where it has them."""
    ways: dict[str, Way] = {}
    for name, ceiling in method.pipeline.ceilings().items():
        ways[name] = lambda lq, truth, number, of=ceiling: to_picture(of(to_tensor(truth)[None])[0])
    if name := method.pipeline.without_diffusion:
        ways[name] = lambda lq, truth, number: to_picture(method(to_tensor(lq)[None], steps=0).images[0])
    return ways
