"""The protocol `limner-test`: faces of a split at the weights' size, each spoiled by a generator seeded with its file's
name, restored as aligned crops.

A row each for the input, every method, and what stands beside it: what it gives without diffusion (`estimator`,
DifFace's first guess; `stage A`, LD-BFR's; `IRN`, CLR-Face's identity recovery network), and `ceiling`, the truth
through a latent method's autoencoder.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

import numpy as np

from limner.data.pairs import FixedPairs
from limner.errors import LimnerError
from limner.evaluate.definitions.given_nets import given_nets
from limner.evaluate.known_degradations import DEGRADATION, KnownDegradations
from limner.evaluate.measure import prepared
from limner.evaluate.metric import Need
from limner.evaluate.protocols import Request
from limner.evaluate.report import METHOD, SECONDS, Report, Row, Sheet
from limner.evaluate.report_files.write import HTML
from limner.evaluate.row_report import report_rows
from limner.evaluate.side_by_side import INPUT, Case, Cases, SideBySide, Way, named, untouched, values, whole
from limner.methods.loaded import LoadedMethod
from limner.pixels import to_picture, to_tensor
from limner.restorer import Restorer

NAME = "limner-test"
OFFERED: frozenset[Need] = frozenset({"truth", "input", "gallery", "degradation"})


def run(request: Request, restorers: Mapping[str, Restorer]) -> Report:
    """Measures methods side by side, each face by itself; the figures are means over all faces.

    Args:
        request: what to measure.
        restorers: methods and settings by the names of their rows, of one sample; the seed of a face's noise is its
            place in the split.

    Raises:
        LimnerError: if the folder lacks its tables, there is no such preset, or the restorers work at several sizes.
    """
    ways: dict[str, Way] = {}
    for name, restorer in restorers.items():
        ways = ways | bounds(restorer.method) | {name: whole(restorer)}
    return compared(NAME, request, restorers, ways)


def compared(
    protocol: str,
    request: Request,
    restorers: Mapping[str, Restorer],
    ways: Mapping[str, Way],
    warm: AbstractSet[str] = frozenset(),
) -> Report:
    """Measures ways of restoration side by side on the faces of a split.

    Args:
        protocol: whose metrics are measured.
        request: what to measure.
        restorers: that stand behind the ways, of one size.
        ways: by the names of their rows; the row `input` stands before them.
        warm: rows whose nets another row has run before.

    Raises:
        LimnerError: see `run`.
    """
    pairs = FixedPairs(request.first_faces(), common_size(restorers), request.preset)
    pairs.degradation(0)  # tells at once that there is no such preset
    given = given_nets(request.nets)
    facts = {"protocol": protocol, "preset": request.preset, "faces": len(pairs)}
    with request.folder() as folder:
        measures = prepared(protocol, OFFERED, given, request.real, folder, timed=True)
        names = named(pairs.faces.files)
        KnownDegradations(request.preset, names).save(folder / DEGRADATION)
        cases = Cases(list(names), lambda number: case_of(pairs, number))
        rows = SideBySide(cases, {INPUT: untouched, **ways}, measures, folder, set(warm), request.elsewhere)
        summaries = rows.run(facts, lambda count: request.done(count, len(pairs)))
        sheet = Sheet(*rows.shown())
        if request.output is not None:
            report_rows(protocol, rows, summaries, restorers, given)
    return Report(
        facts,
        [Row({METHOD.key: row, **values(summary)}) for row, summary in summaries.items()],
        (METHOD, *(one for one in (*measures.metrics, *measures.set_metrics) if one.brief), SECONDS),
        note="" if request.output is None else f"The report: {request.output / HTML}",
        sheet=sheet,
    )


def case_of(pairs: FixedPairs, number: int) -> Case:
    """One pair with its degradation."""
    return Case(*pairs[number], pairs.degradation(number))


def common_size(restorers: Mapping[str, Restorer]) -> int:
    """Side of the crops that all work at, in pixels.

    Raises:
        LimnerError: if they work at several sizes.
    """
    sizes = sorted({restorer.size for restorer in restorers.values()})
    if len(sizes) > 1:
        raise LimnerError(f"The methods work at {' and '.join(map(str, sizes))} px: measure them in runs of their own.")
    return sizes[0]


def bounds(method: LoadedMethod) -> dict[str, Way]:
    """The ceilings of a method, and what it gives without diffusion, where it has them."""
    ways: dict[str, Way] = {}
    for name, ceiling in method.pipeline.ceilings().items():

        def through(case: Case, number: int, of=ceiling) -> np.ndarray:
            if case.truth is None:
                raise ValueError("A ceiling is that of the truth.")
            return to_picture(of(to_tensor(case.truth)[None])[0])

        ways[name] = through
    if name := method.pipeline.without_diffusion:
        ways[name] = lambda case, number: to_picture(method(to_tensor(case.input)[None], steps=0).images[0])
    return ways
