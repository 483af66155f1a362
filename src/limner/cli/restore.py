"""`limner restore`: the faces of photographs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from limner.cli import output as ui
from limner.cli.options import Given, Json, Megapixels, takes
from limner.declared import declared_fields
from limner.errors import LimnerError
from limner.settings import Settings


@takes(*(one.name for one in declared_fields(Settings)), methods=True)
def restore(
    given: Given,
    sources: Annotated[list[Path], typer.Argument(help="Photos, or folders of photos.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder, or a file for a single photo.")],
    quality: Annotated[int | None, typer.Option(help="Of JPEG, WebP and AVIF, 1 to 100.")] = None,
    save_intermediate: Annotated[
        Path | None,
        typer.Option(
            help="Folder for what the method makes on the way: difface's estimate, clrface's recovered face and mask."
        ),
    ] = None,
    save_map: Annotated[
        Path | None, typer.Option(help="Folder for pictures of what was made up: grey photos, red where invented.")
    ] = None,
    no_provenance: Annotated[bool, typer.Option("--no-provenance", help="Leave out who made the result.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Make results anew that are there.")] = False,
    max_megapixels: Megapixels = 100.0,
    json: Json = False,
) -> None:
    """Restore the faces of photographs."""
    from limner.folder import Saving, photos_in, restore_all
    from limner.restorer import Restorer

    settings = given.settings()
    photos = photos_in(sources, output)
    single = len(photos) == 1 and not sources[0].is_dir()
    restorer = Restorer(settings, max_megapixels)
    saving = Saving(
        overwrite=overwrite,
        max_megapixels=max_megapixels,
        quality=quality,
        provenance=not no_provenance,
        intermediate=save_intermediate,
        maps=save_map,
    )
    results, failed = [], []
    with ui.progress("restoring", show=not json) as bar:
        current = {"name": photos[0][0].name, "number": 0}

        def progress(done: int, total: int) -> None:
            bar(str(current["name"]), int(current["number"]) * total + done, len(photos) * total)

        for number, outcome in enumerate(restore_all(restorer, photos, output, saving, progress)):
            current = {"name": outcome.source.name, "number": number + 1}
            if outcome.error and single:
                raise LimnerError(outcome.error)
            if outcome.error:
                failed.append(outcome)
            if json:
                results.append(ui.outcome_as_json(outcome, settings, restorer.method.info.name))
            elif not outcome.error:
                ui.describe(outcome)
    if json:
        ui.emit(results[0] if single else results)
    elif failed:
        ui.say(f"{len(failed)} of {len(photos)} photos failed:")
        for outcome in failed:
            ui.say(f"  {outcome.error}")
    if failed:
        raise typer.Exit(1)
