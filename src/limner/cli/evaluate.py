"""The command line's `limner evaluate`: measures anybody's restored pictures."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from limner.cli import output as ui
from limner.cli.options import Given, Json, takes


@takes("threads")
def evaluate(
    given: Given,
    restored: Annotated[Path, typer.Argument(help="Folder of restored pictures.")],
    against: Annotated[Path, typer.Option(help="Folder of what they should be, of the same names and sizes.")],
    inputs: Annotated[Path | None, typer.Option(help="Folder of what they were restored from.")] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for pictures.csv and summary.json; a killed run goes on there."),
    ] = None,
    json: Json = False,
) -> None:
    """Measure restored pictures of whatever tool against true ones."""
    from limner.device import choose
    from limner.evaluate.evaluate import evaluate_folder

    choose(threads=given.settings().threads)
    with ExitStack() as stack, ui.progress("measuring", show=not json) as bar:
        folder = output or Path(stack.enter_context(TemporaryDirectory()))
        summary = evaluate_folder(
            restored, against, inputs, folder, lambda done, total: bar("measuring", done, total)
        )
    if json:
        ui.emit(summary.as_json())
        return
    from limner.evaluate.metric_registry import defined_in

    rows = []
    for metric in defined_in("evaluate"):
        if metric.key in summary.estimates:
            one = summary.estimates[metric.key]
            cells = [format(value, metric.form) for value in (one.value, one.low, one.high)]
            rows.append([metric.heading, cells[0], f"{cells[1]} to {cells[2]}", metric.definition])
    ui.table(["metric", "value", "95 %", "what it is"], rows)
