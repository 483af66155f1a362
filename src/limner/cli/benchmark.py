"""The command line's `limner benchmark`: a protocol, measured and told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limner.cli import output as ui
from limner.cli.options import (
    Device,
    DeviceOption,
    Dtype,
    DtypeOption,
    Eta,
    Finish,
    Guidance,
    GuideBelow,
    GuideEvery,
    Json,
    MaskOption,
    Scheduler,
    Seed,
    Snap,
    Start,
    Steps,
    StrengthOption,
    Threads,
    TimetableOption,
    WeightsOption,
    strength_of,
)
from limner.errors import LimnerError
from limner.evaluate.protocols import PROTOCOLS, Request, find_protocol

if TYPE_CHECKING:
    from limner.evaluate.report import Report


SEVERAL = " and ".join(one.name for one in PROTOCOLS.values() if one.methods == "several")


def benchmark(
    data: Annotated[Path, typer.Option(help="Folder of aligned faces with index.csv and landmarks.csv.")],
    protocol: Annotated[
        str,
        typer.Option(
            metavar=f"<{'|'.join(PROTOCOLS)}>",
            help="; ".join(f"{one.name}: {one.help}" for one in PROTOCOLS.values()) + ".",
        ),
    ] = "limner-test",
    preset: Annotated[str, typer.Option(help="Degradation, for limner-test and references.")] = "ffhq-ref-severe",
    method: Annotated[
        list[str] | None,
        typer.Option(help=f"Restoration method, or METHOD@STEPS; {SEVERAL} measure several side by side."),
    ] = None,
    weights: WeightsOption = "mini",
    strength: StrengthOption = "auto",
    start: Start = None,
    steps: Steps = None,
    eta: Eta = None,
    guidance: Guidance = None,
    mask: MaskOption = None,
    guide_below: GuideBelow = None,
    guide_every: GuideEvery = None,
    finish: Finish = None,
    timetable: TimetableOption = None,
    snap: Snap = None,
    scheduler: Scheduler = None,
    seed: Seed = 0,
    split: Annotated[
        str,
        typer.Option(
            help="test; val is for choosing settings; held-out: pairs of photographs, for references and verification."
        ),
    ] = "test",
    limit: Annotated[int | None, typer.Option(help="The first so many faces only.", min=1)] = None,
    sheet: Annotated[Path | None, typer.Option(help="Save a contact sheet of some faces here (PNG).")] = None,
    plot: Annotated[Path | None, typer.Option(help="guidance: save the curves here (PNG).")] = None,
    judge: Annotated[
        Path | None, typer.Option(help="guidance: folder or file of a recogniser that took no part, to tell likeness.")
    ] = None,
    device: DeviceOption = Device.auto,
    dtype: DtypeOption = Dtype.auto,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Measure on the test faces, which nothing was trained on."""
    measured = find_protocol(protocol)
    splits = measured.splits_called(split)
    names = method or ["difface"]
    measured.check_methods(len(names))

    from limner.device import choose  # torch takes seconds to import
    from limner.restorer import Restorer, Settings

    choose(threads=threads)  # also for protocols that restore nothing
    restorers = {}
    for wish in names if measured.methods != "none" else []:
        name, at = method_and_steps(wish)
        settings = Settings(
            method=name,
            weights=weights,
            strength=strength_of(strength),
            start=start,
            steps=steps if at is None else at,
            eta=eta,
            guidance=guidance,
            mask=mask and mask.value,
            guide_below=guide_below,
            guide_every=guide_every,
            finish=finish,
            timetable=timetable and timetable.value,
            snap=snap,
            scheduler=scheduler,
            seed=seed,
            aligned=measured.aligned,
            device=device.value,
            dtype=dtype.value,
            threads=threads,
        )
        restorers[wish] = Restorer(settings)
    with ui.progress("measuring", show=not json) as bar:
        request = Request(
            data, preset, splits, limit, seed, judge, progress=lambda done, total: bar("measuring", done, total)
        )
        report = measured.run(request, restorers)
    if sheet and report.sheet:
        report.sheet.save(sheet)
    if plot and report.plot:
        report.plot.save(plot)
    show(report, json)


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


def method_and_steps(text: str) -> tuple[str, int | None]:
    """`ldbfr@25` to (`ldbfr`, 25), and `ldbfr` to (`ldbfr`, None).

    Raises:
        LimnerError: if what follows the @ is no whole number.
    """
    name, at, steps = text.partition("@")
    if at and not steps.isdecimal():
        raise LimnerError(f"--method is '{text}': give a method such as {name}, or one with its steps, {name}@25.")
    return name, int(steps) if at else None
