"""`limner train`: trains a net."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from limner.cli import output as told
from limner.cli.options import Given, takes
from limner.train import RECIPES


@takes("seed", "device", "threads")
def train(
    given: Given,
    recipe: Annotated[str, typer.Argument(help="Which stage: " + ", ".join(RECIPES) + ".")],
    data: Annotated[Path, typer.Option(help="Folder of aligned faces with index.csv and landmarks.csv.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for state, logs, sheets and weights.")],
    preset: Annotated[str, typer.Option(help="mini (a CPU's evening) or paper (the published settings).")] = "mini",
    steps: Annotated[int | None, typer.Option(help="Instead of the preset's.", min=1)] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the run in --output stopped.")] = False,
    every: Annotated[int, typer.Option(help="Steps between saves, measurements and sheets.", min=1)] = 500,
    workers: Annotated[int, typer.Option(help="Processes that prepare samples.", min=0)] = 1,
    first_stage: Annotated[Path | None, typer.Option(help="Latent methods: folder of a VQGAN of your own.")] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            help="clean, fusion, difface-estimator, difface-prior-sharp, alignnet-fine, refldm, ldbfr-vqgan, "
            "ldbfr-prior, clrface-prior: folder of the net to go on from."
        ),
    ] = None,
    stage_a: Annotated[
        Path | None, typer.Option(help="ldbfr-injection, vqgan-decoder: folder of a stage A of your own.")
    ] = None,
    prior: Annotated[
        Path | None,
        typer.Option(
            help="ldbfr-injection, clrface-mask, clrface-decoder, vqgan-decoder (ReF-LDM's): a folder of yours."
        ),
    ] = None,
    encoder: Annotated[
        Path | None,
        typer.Option(help="clrface-prior, clrface-mask, clrface-decoder: folder of a degraded encoder of your own."),
    ] = None,
    irn: Annotated[
        Path | None, typer.Option(help="clrface-mask: folder of an identity recovery network of your own.")
    ] = None,
    judge: Annotated[
        Path | None, typer.Option(help="clrface-mask: folder or file of a recogniser other than the one that guides.")
    ] = None,
) -> None:
    """Train a net; Ctrl-C stops cleanly and --resume goes on."""
    from limner.device import choose
    from limner.train import make_recipe

    settings = given.settings()
    choose(threads=settings.threads)
    made = make_recipe(
        recipe,
        data,
        preset,
        settings.seed,
        first_stage=first_stage,
        start=start,
        stage_a=stage_a,
        prior=prior,
        encoder=encoder,
        irn=irn,
        judge=judge,
    )
    if steps is not None:
        made.steps = steps
    from limner.train.loop import fit

    weights = fit(made, output, resume=resume, every=every, workers=workers, cpu=settings.device == "cpu")
    told.say(f"The weights are in {weights}.")
