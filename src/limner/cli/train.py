"""The command line's `limner train`. What nets a recipe can build on, its own function says."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from limner.cli import output as ui
from limner.cli.options import Given, takes
from limner.train import RECIPES, builds_on

Recipe = Annotated[str, typer.Argument(help="Which stage: " + ", ".join(RECIPES) + ".")]
Data = Annotated[Path, typer.Option(help="Folder of aligned faces with index.csv and landmarks.csv.")]
Output = Annotated[Path, typer.Option("--output", "-o", help="Folder for state, logs, sheets and weights.")]
Preset = Annotated[str, typer.Option(help="mini (a CPU's evening) or paper (the published settings).")]
Steps = Annotated[int | None, typer.Option(help="Instead of the preset's.", min=1)]
Resume = Annotated[bool, typer.Option("--resume", help="Go on where the run in --output stopped.")]
Every = Annotated[int, typer.Option(help="Steps between saves, measurements and sheets.", min=1)]
Workers = Annotated[int, typer.Option(help="Processes that prepare samples.", min=0, max=256)]


def net_options() -> list[inspect.Parameter]:
    """An option for every net that any recipe builds on, with the recipes that take it."""
    takers: dict[str, dict[str | None, list[str]]] = {}
    for recipe in RECIPES:
        for net, default in builds_on(recipe).items():
            takers.setdefault(net, {}).setdefault(default, []).append(recipe)
    return [
        inspect.Parameter(
            net,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[str | None, typer.Option(help=f"A folder, or a name of the catalogue. {_told(by)}")],
        )
        for net, by in takers.items()
    ]


def _told(takers: dict[str | None, list[str]]) -> str:
    """Recipes by what they build on by default."""
    return " ".join(f"{', '.join(recipes)}: else {default or 'begun anew'}." for default, recipes in takers.items())


@takes("seed", "device", "threads", others=net_options())
def train(
    given: Given,
    recipe: Recipe,
    data: Data,
    output: Output,
    preset: Preset = "mini",
    steps: Steps = None,
    resume: Resume = False,
    every: Every = 500,
    workers: Workers = 1,
    **nets: str | None,
) -> None:
    """Train a net; Ctrl-C stops cleanly and --resume goes on."""
    settings = given.settings()
    with ui.progress("loading PyTorch, nets and data"):
        from limner.device import choose
        from limner.train import make_recipe
        from limner.train.loop import fit

        choose(threads=settings.threads)
        made = make_recipe(recipe, data, preset, settings.seed, **nets)
    if steps is not None:
        made = replace(made, training=replace(made.training, steps=steps))

    weights = fit(made, output, resume=resume, every=every, workers=workers, cpu=settings.device == "cpu")
    ui.say(f"The weights are in {weights}.")
