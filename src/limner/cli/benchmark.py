"""The command line's `limner benchmark`: a protocol, measured and printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limner.cli import output as ui
from limner.cli.asked_method import asked_method
from limner.cli.engine import Engine, shared_out
from limner.cli.options import Given, Json, Nets, Real, takes
from limner.evaluate.protocols import PROTOCOLS, Protocol, Request, find_protocol
from limner.extras import needed

if TYPE_CHECKING:
    from limner.evaluate.report import Report
    from limner.restorer import Restorer


ALONE = " and ".join(one.name for one in PROTOCOLS.values() if one.methods == "one")

Data = Annotated[
    Path,
    typer.Option(
        help="Folder of aligned faces with index.csv and landmarks.csv; of a published set, that of its input, "
        "truth and references."
    ),
]
ProtocolName = Annotated[
    str,
    typer.Option(
        metavar=f"<{'|'.join(PROTOCOLS)}>",
        help="; ".join(f"{one.name}: {one.help}" for one in PROTOCOLS.values()) + ".",
    ),
]
Methods = Annotated[
    list[str] | None,
    typer.Option(
        help="Restoration method, METHOD@STEPS or METHOD@option=value,option=value; several stand side by side; "
        f"{ALONE} take one."
    ),
]
Judge = Annotated[
    Path | None, typer.Option(help="guidance: folder or file (also dlib's .dat) of a recogniser that took no part.")
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="limner-test, steps, harm and published sets: keep pictures, inputs, truths and figures in this folder; a "
        "killed run goes on there.",
    ),
]


@takes("weights", "strength", "finish", "scheduler", "seed", "device", "dtype", "threads", methods=True)
def benchmark(
    given: Given,
    data: Data,
    protocol: ProtocolName = "limner-test",
    preset: Annotated[str, typer.Option(help="limner-test, steps, references: degradation.")] = "ffhq-ref-severe",
    method: Methods = None,
    split: Annotated[
        str,
        typer.Option(
            help="test; val is for choosing settings; held-out and test+held-out: pairs of photographs, for references "
            "and verification."
        ),
    ] = "test",
    limit: Annotated[int | None, typer.Option(help="The first so many faces only.", min=1)] = None,
    output: Output = None,
    real: Real = None,
    net: Nets = None,
    sheet: Annotated[Path | None, typer.Option(help="Save a contact sheet of some faces here (PNG).")] = None,
    plot: Annotated[Path | None, typer.Option(help="guidance, steps: save the curves here (PNG).")] = None,
    judge: Judge = None,
    engine: Engine = None,
    json: Json = False,
) -> None:
    """Measure on the test faces, which nothing was trained on."""
    measured = find_protocol(protocol)
    splits = measured.splits_called(split)
    names = method or ["difface"]
    measured.check(len(names), shared=engine is not None)
    if plot:
        with needed("matplotlib", "--plot"):
            import matplotlib  # noqa: F401  # told now, rather than when all is measured

    common = given.settings(options={})
    with ui.progress("loading PyTorch", show=not json) as bar:
        from limner.device import choose

        choose(threads=common.threads)  # also for protocols that restore nothing
        bar("loading weights", 0, None)
        restorers = restorers_of(given, names, measured) if measured.methods != "none" else {}
        bar("measuring", 0, None)
        request = Request(
            data,
            preset,
            splits,
            limit,
            common.seed,
            judge,
            progress=lambda done, total: bar("measuring", done, total),
            output=output,
            real=real,
            nets=tuple(net or ()),
        )
        report = measured.run(shared_out(engine, request, protocol, restorers), restorers)
    if sheet and report.sheet:
        report.sheet.save(sheet)
    if plot and report.plot:
        report.plot.save(plot)
    show(report, json)


def restorers_of(given: Given, names: list[str], measured: Protocol) -> dict[str, Restorer]:
    """A restorer for each method, by the words that ask for it."""
    from limner.restorer import Restorer

    restorers = {}
    for row in names:
        asked = asked_method(row)
        options = {**given.options, **asked.options}
        restorers[row] = Restorer(
            given.settings(method=asked.name, options=options, aligned=measured.aligned, **asked.common)
        )
    return restorers


def show(report: Report, json: bool) -> None:
    """Prints what a protocol found, for machines or for people."""
    if json:
        ui.emit(report.as_json())
    elif report.text:
        print(report.text)
    else:
        ui.table(report.headings(), report.cells())
        if report.note:
            ui.say(report.note)
