"""`limner damage`: where a photograph is scratched, cracked, folded, torn or stained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from limner.cli import output as ui
from limner.cli.loading import uncollected
from limner.cli.options import Given, Json, Megapixels, Overwrite, Sensitivity, check_free, takes
from limner.cli.streams import STREAM, streams
from limner.damage import SENSITIVITY, check_sensitivity, percent
from limner.errors import LimnerError


@takes("device", "dtype", "threads")
def damage(
    given: Given,
    photo: Annotated[Path, typer.Argument(help="The photo; - is the input stream.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The mask, white where there is damage; - is the output.")
    ],
    sensitivity: Sensitivity = SENSITIVITY,
    overwrite: Overwrite = False,
    max_megapixels: Megapixels = 100.0,
    json: Json = False,
) -> None:
    """Find scratches, cracks, specks, folds, tears and stains, and write them as a mask."""
    settings = given.settings()
    check_sensitivity(sensitivity)
    if json and output == STREAM:
        raise LimnerError("The output stream can't hold both a mask and --json: give a file with --output.")
    with ui.progress("loading PyTorch", show=not json) as bar, streams([photo], output) as files:
        with uncollected():
            import numpy as np

            from limner.damage.find import find_damage
            from limner.device import choose
            from limner.photo.photo import Photo
            from limner.photo.writable import check_writable

        opened = Photo.open(files.sources[0], max_megapixels)
        picture = Photo(opened.srgb(), "PNG", grey=True, path=opened.path)
        file = files.output / "mask.png" if output == STREAM else output
        check_writable(picture, file, None)
        check_free(file, overwrite)
        bar("looking for damage", 0, None)
        compute = choose(settings.device, settings.dtype, settings.threads)
        mask = find_damage(picture.pixels, sensitivity, compute)
        if output == STREAM:
            files.output.mkdir()
        picture.replaced(np.repeat(mask[..., None], 3, axis=2)).save(file)
    share = float((mask > 0).mean())
    if json:
        ui.emit({"photo": str(photo), "mask": str(output), "sensitivity": sensitivity, "share": share})
    elif share:
        ui.say(f"{photo}: {percent(share)}% marked as damage, in {output}; edit it where it is wrong.")
    else:
        ui.say(f"{photo}: no damage found, so {output} is all black; --sensitivity above {sensitivity:g} finds more.")
