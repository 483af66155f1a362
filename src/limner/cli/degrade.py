"""`limner degrade`: spoils a photograph."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from limner.cli.options import Given, Megapixels, Overwrite, check_free, takes


@takes("seed")
def degrade(
    given: Given,
    photo: Annotated[Path, typer.Argument(help="The photo.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    preset: Annotated[str, typer.Option(help="Degradation, e.g. ffhq-ref-severe or old-print.")] = "ffhq-ref-moderate",
    overwrite: Overwrite = False,
    max_megapixels: Megapixels = 100.0,
) -> None:
    """Spoil a photograph the way the papers do, or age it (old-print), to try a restoration on it."""
    import numpy as np

    from limner.degrade.degrade import degrade as spoil
    from limner.photo.photo import Photo

    opened = Photo.open(photo, max_megapixels)
    check_free(output, overwrite)
    spoilt = spoil(opened.srgb(), preset, np.random.default_rng(given.settings().seed))
    native = opened.from_srgb(spoilt.astype(np.float32) / 255)
    opened.replaced(np.rint(native * opened.peak).astype(opened.pixels.dtype)).save(output)
