"""`limner restore`: the faces of photographs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limner.cli import output as ui
from limner.cli.clip import CLIP_OPTIONS, clips_too
from limner.cli.loading import uncollected
from limner.cli.options import Given, Json, Megapixels, Sensitivity, takes
from limner.cli.report import Report
from limner.cli.streams import STREAM, streams
from limner.damage import SENSITIVITY
from limner.declared import declared_fields
from limner.errors import LimnerError
from limner.settings import Settings

if TYPE_CHECKING:
    from limner.folder.run import Saving
    from limner.folder.targets import Target
    from limner.holes.mask import MaskFiles

FindDamage = Annotated[
    bool,
    typer.Option(
        "--find-damage", help="Fill scratches, specks, folds, tears and stains, as `limner damage` finds them."
    ),
]


@takes(*(one.name for one in declared_fields(Settings)), methods=True, others=CLIP_OPTIONS)
@clips_too
def restore(
    given: Given,
    sources: Annotated[list[Path], typer.Argument(help="Photos, or folders of photos; - is the input stream.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder, or a file for one photo; - is the output.")],
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
    holes: Annotated[
        str | None,
        typer.Option(
            "--mask",
            help="Holes to fill, white in a picture of the photo's size; for several photos a folder of masks of their "
            "names; or auto-black: pixels that are exactly black.",
        ),
    ] = None,
    find_damage: FindDamage = False,
    sensitivity: Sensitivity = SENSITIVITY,
    compare: Annotated[Path | None, typer.Option(help="Folder for pictures of before and after, side by side.")] = None,
    suffix: Annotated[str, typer.Option(help="Behind the name of each result, such as _restored.")] = "",
    keep_time: Annotated[bool, typer.Option("--keep-time", help="Results bear the times of their photos.")] = False,
    no_provenance: Annotated[bool, typer.Option("--no-provenance", help="Leave out who made the result.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Make all results anew that are there.")] = False,
    max_megapixels: Megapixels = 100.0,
    json: Json = False,
) -> None:
    """Restore the faces of photographs."""
    settings = given.settings()
    if json and output == STREAM:
        raise LimnerError("The output stream can't hold both a photo and --json: give a file with --output.")
    with ui.progress("loading PyTorch", show=not json) as bar, streams(sources, output) as given_files:
        with uncollected():
            from limner.folder.find import find_photos
            from limner.folder.pictures import SidePictures
            from limner.folder.run import Saving, check_intermediate
            from limner.folder.targets import targets_of

        beside = SidePictures(save_intermediate, save_map, compare)
        single = len(sources) == 1 and not sources[0].is_dir()
        masks = masks_of(holes, find_damage, sensitivity, single)
        saving = Saving(overwrite, max_megapixels, quality, not no_provenance, beside, keep_time, masks)
        check_intermediate(settings.method, beside)
        drawn = [masks.folder] if masks and masks.folder else []
        found = find_photos(given_files.sources, [given_files.output, *beside.folders(), *drawn])
        targets = targets_of(found, given_files.output, settings.results, suffix)
        if output == STREAM and sum(len(target.outputs) for target in targets) > 1:
            raise LimnerError("The output stream takes one photo with one result: give a folder with --output.")
        report = Report(settings, len(targets), single, json, given_files.named)
        for sentence in found.passed_over:
            report.note(sentence)
        run(targets, saving, report, bar)
    if report.failed:
        raise typer.Exit(1)


def masks_of(holes: str | None, find_damage: bool, sensitivity: float, single: bool) -> MaskFiles | None:
    """Where the holes of a run's photographs are told; None where none are to be filled.

    Raises:
        LimnerError: both `--mask` and `--find-damage` tell them; or as `MaskFiles` and `OwnDamage`.
    """
    from limner.holes.mask import MaskFiles, OwnDamage

    if holes and find_damage:
        raise LimnerError(
            "The holes are either those of --mask or those of --find-damage: write the latter with `limner damage`, "
            "and draw the former into them."
        )
    if sensitivity != SENSITIVITY and not find_damage:
        raise LimnerError("--sensitivity is how damage is looked for: give --find-damage, too.")
    given = OwnDamage(sensitivity) if find_damage else holes
    return MaskFiles(given, single) if given else None


def run(targets: Sequence[Target], saving: Saving, report: Report, bar: Callable[[str, int, int | None], None]) -> None:
    """Restores the photos and tells of each, also of those that were done when the run is interrupted."""
    from limner.folder.run import restore_all
    from limner.restorer import Restorer

    number = 0

    def progress(done: int, total: int) -> None:
        bar(targets[number].source.path.name, number * total + done, len(targets) * total)

    try:
        bar(f"loading the weights {report.settings.weights} of {report.settings.method}", 0, None)
        restorer = Restorer(report.settings, saving.max_megapixels)
        report.weights = restorer.method.info.name
        bar("restoring", 0, None)
        for outcome in restore_all(restorer, targets, saving, progress):
            report.add(outcome)
            number += 1
    except KeyboardInterrupt:
        report.interrupted(targets[min(number, len(targets) - 1)].source.path)
        raise
    report.finish()
