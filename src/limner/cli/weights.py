"""The command line's `limner weights`: what there is, fetching and converting published files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from limner.cli import output as ui

weights_app = typer.Typer(help="Weights: what there is, fetching and converting published files.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help=ui.JSON_HELP)]


@weights_app.command("list")
def list_all(json: Json = False) -> None:
    """All weights that limner knows."""
    from limner.weights import WEIGHTS

    if json:
        ui.emit([{"name": w.name, "purpose": w.purpose, "licence": w.licence, "present": w.present()} for w in WEIGHTS])
    else:
        rows = [[w.name, w.purpose, w.licence, "here" if w.present() else "not fetched"] for w in WEIGHTS]
        ui.table(["weights", "purpose", "licence", ""], rows)


@weights_app.command("show")
def show(name: Annotated[str, typer.Argument(help="As `limner weights list` names it.")], json: Json = False) -> None:
    """Size, licence, place and model card of one."""
    from limner.weights import Embedded, find

    weights = find(name)
    if json:
        ui.emit(dict(weights.facts()))
        return
    for label, text in weights.facts():
        print(f"{label:8} {text}")
    if isinstance(weights, Embedded):
        print(f"\n{weights.card()}")


@weights_app.command("convert")
def convert(
    file: Annotated[Path, typer.Argument(help="A published checkpoint.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")],
) -> None:
    """Convert a published checkpoint into a folder of limner's (config.json and safetensors)."""
    import limner.weights

    print(limner.weights.convert(file, output, tell=ui.say))


@weights_app.command("fetch")
def fetch(
    name: Annotated[str, typer.Argument(help="As `limner weights list` names it.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> None:
    """Fetch a published file: shows where from, how large and its licence, and asks first."""
    from limner.weights import Embedded, find
    from limner.weights import fetch as bring

    weights = find(name)
    for label, text in weights.facts():
        ui.say(f"{label:8} {text}")
    if isinstance(weights, Embedded) or weights.present():
        ui.say("It is here already.")
    elif not yes and not typer.confirm("Fetch it under this licence?", err=True):
        raise typer.Exit(1)
    with ui.progress("fetching") as bar:
        path = bring(weights, progress=lambda done, total: bar("fetching", done, total or size_of(weights)))
    print(path)


def size_of(weights: object) -> int:
    """The size the catalogue states, for servers that tell none."""
    return getattr(weights, "about", 0)
