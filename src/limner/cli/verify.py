"""`limner verify`: whether the results of an archive are still what was written."""

from __future__ import annotations

import typer

from limner.cli import output as ui
from limner.cli.options import Json, Results
from limner.cli.stored import stored


def verify(out: Results, json: Json = False) -> None:
    """Compare the results of an archive with what was written; exit code 1 if any is missing or changed."""
    from limner.archive import verify as verifying
    from limner.archive.manifest import Manifest, manifest_file

    with stored([out]) as places, ui.progress("comparing", show=not json) as bar:
        files, folder = places.files, places.sources[0]
        files.listing(folder, [])
        files.bring(manifest_file(folder))
        with Manifest(folder) as manifest:
            found = verifying.verify(manifest, lambda done, total: bar("comparing", done, total), files)
    found_by = {"missing": found.missing, "changed": found.changed, "unreadable": found.unreadable}
    lists = {what: [files.named(str(path)) for path in paths] for what, paths in found_by.items()}
    if json:
        ui.emit({"fine": found.fine} | lists)
    else:
        for what, paths in lists.items():
            for path in paths:
                print(ui.plain(f"{path}: {what}"))
        print(f"{found.fine} fine, " + ", ".join(f"{len(paths)} {what}" for what, paths in lists.items()) + ".")
    if not found.whole:
        raise typer.Exit(1)
