"""`limner detect`: the faces of a photograph."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from limner.cli import output as ui
from limner.cli.loading import uncollected
from limner.cli.options import Given, Json, Megapixels, Overwrite, check_free, takes
from limner.cli.report import no_face
from limner.cli.streams import streams


@takes("faces", "min_face", "min_score", "detector", "yunet", "threads")
def detect(
    given: Given,
    photo: Annotated[Path, typer.Argument(help="The photo; - is the input stream.")],
    save: Annotated[
        Path | None, typer.Option(help="Picture of the photo with numbered boxes, for `restore --faces`.")
    ] = None,
    overwrite: Overwrite = False,
    max_megapixels: Megapixels = 100.0,
    json: Json = False,
) -> None:
    """Find the faces of a photograph: boxes, five points, scores."""
    settings = given.settings()
    with ui.progress("loading PyTorch", show=not json) as bar, streams([photo]) as files:
        with uncollected():
            from limner.device import choose
            from limner.faces.chosen import faces_to_restore
            from limner.faces.damage import SIDE
            from limner.faces.numbered import numbered
            from limner.faces.placing import placing_of
            from limner.photo.photo import Photo
            from limner.photo.writable import check_writable

        bar("looking for faces", 0, None)
        choose(threads=settings.threads)
        opened = Photo.open(files.sources[0], max_megapixels)
        picture = Photo(opened.srgb(), opened.format, path=opened.path)
        if save:
            check_writable(picture, save, None)
            check_free(save, overwrite)
        chosen = faces_to_restore(picture.pixels, placing_of(settings), settings, SIDE)
        found, notes = chosen.all, chosen.notes
        if save:
            picture.replaced(numbered(picture.pixels, found)).save(save)
    if json:
        ui.emit({"photo": str(photo), "faces": [face.as_json() for face in found], "notes": notes})
        return
    if found:
        rows = []
        for face in found:
            left, top, right, bottom = face.box
            sides = [f"{value:.0f}" for value in (left, top, right - left, bottom - top)]
            turned = "?" if face.pose is None or not face.pose.sure else f"{face.pose.yaw:.0f}"
            damage = "?" if face.damage is None else f"{face.damage:.2f}"
            rows.append([str(face.number), f"{face.score:.2f}", *sides, turned, damage])
        ui.table(["face", "score", "left", "top", "width", "height", "turned", "damage"], rows)
    else:
        ui.say(f"{photo}: {no_face(chosen.below)}.")
    for note in notes:
        ui.say(note)
