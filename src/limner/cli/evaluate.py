"""The command line's `limner evaluate`: measures anybody's restored pictures."""

from __future__ import annotations

from pathlib import Path
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
        typer.Option("--output", "-o", help="Folder for the report and all figures; a killed run goes on there."),
    ] = None,
    json: Json = False,
) -> None:
    """Measure restored pictures of whatever tool against true ones."""
    from limner.device import choose
    from limner.evaluate.evaluate import evaluate_folder

    choose(threads=given.settings().threads)
    with ui.progress("measuring", show=not json) as bar:
        summary = evaluate_folder(restored, against, inputs, output, lambda done, total: bar("measuring", done, total))
    if json:
        ui.emit(summary.as_json())
        return
    from limner.evaluate.metric_registry import defined_in
    from limner.evaluate.report_files.write import HTML

    rows = []
    for metric in defined_in("evaluate"):
        if metric.key in summary.estimates:
            one = summary.estimates[metric.key]
            rows.append([metric.heading, metric.text(one.value), metric.between(one), metric.definition])
    ui.table(["metric", "value", "95 %", "what it is"], rows)
    if output:
        ui.say(f"The report: {output / HTML}")
