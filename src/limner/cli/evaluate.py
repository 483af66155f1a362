"""The command line's `limner evaluate`: measures anybody's restored pictures."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from limner.cli import output as ui
from limner.cli.options import Given, Json, Nets, Real, takes


@takes("threads")
def evaluate(
    given: Given,
    restored: Annotated[Path, typer.Argument(help="Folder of restored pictures.")],
    against: Annotated[
        Path | None, typer.Option(help="Folder of what they should be, of the same names and sizes.")
    ] = None,
    real: Real = None,
    inputs: Annotated[Path | None, typer.Option(help="Folder of what they were restored from.")] = None,
    references: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the persons' other photographs, aligned alike: a sub-folder for each picture, or files "
            "that begin with its name."
        ),
    ] = None,
    degradation: Annotated[
        str | None, typer.Option(help="What made the inputs: a preset, or a JSON file that tells it.")
    ] = None,
    landmarks: Annotated[
        list[Path] | None,
        typer.Option(help="CSV of the true landmarks (5 or 68); a second one: of the restored pictures."),
    ] = None,
    net: Nets = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for pictures.csv and summary.json; a killed run goes on there."),
    ] = None,
    json: Json = False,
) -> None:
    """Measure restored pictures of whatever tool: against true ones, photographs, and what else is known."""
    from limner.device import choose
    from limner.evaluate.evaluate import Evaluation, evaluate_folder

    what = Evaluation(
        restored, against, real, inputs, references, degradation, tuple(landmarks or ()), tuple(net or ())
    )
    choose(threads=given.settings().threads)
    with ExitStack() as stack, ui.progress("measuring", show=not json) as bar:
        folder = output or Path(stack.enter_context(TemporaryDirectory()))
        summary, defined = evaluate_folder(what, folder, lambda done, total: bar("measuring", done, total))
    if json:
        ui.emit(summary.as_json())
        return
    rows = []
    for metric in defined:
        one = summary.estimates[metric.key]
        cells = [format(value, metric.form) for value in (one.value, one.low, one.high)]
        rows.append([metric.heading, cells[0], f"{cells[1]} to {cells[2]}", metric.definition])
    ui.table(["metric", "value", "95 %", "what it is"], rows)
