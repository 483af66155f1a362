"""The command line's `limner evaluate`: measures anybody's restored pictures."""

from __future__ import annotations

from pathlib import Path
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
        typer.Option("--output", "-o", help="Folder for the report and all figures; a killed run goes on there."),
    ] = None,
    json: Json = False,
) -> None:
    """Measure restored pictures of whatever tool: against true ones, photographs, and what else is known."""
    from limner.device import choose
    from limner.evaluate.evaluate import Asked, evaluate_folder
    from limner.evaluate.report_files.write import HTML

    what = Asked(restored, against, real, inputs, references, degradation, tuple(landmarks or ()), tuple(net or ()))
    choose(threads=given.settings().threads)
    with ui.progress("measuring", show=not json) as bar:
        summary, defined = evaluate_folder(what, output, lambda done, total: bar("measuring", done, total))
    if json:
        ui.emit(summary.as_json())
        return
    rows = []
    for metric in defined:
        one = summary.estimates[metric.key]
        rows.append([metric.heading, metric.text(one.value), metric.between(one), metric.definition])
    ui.table(["metric", "value", "95 %", "what it is"], rows)
    if output:
        ui.say(f"The report: {output / HTML}")
