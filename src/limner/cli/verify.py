"""`limner verify`: whether the results of an archive are still what was written."""

from __future__ import annotations

import typer

from limner.cli import output as ui
from limner.cli.options import Json, Results


def verify(out: Results, json: Json = False) -> None:
    """Compare the results of an archive with what was written; exit code 1 if any is missing or changed."""
    from limner.archive import verify as verifying
    from limner.archive.manifest import Manifest

    with Manifest(out) as manifest, ui.progress("comparing", show=not json) as bar:
        found = verifying.verify(manifest, lambda done, total: bar("comparing", done, total))
    lists = {"missing": found.missing, "changed": found.changed, "unreadable": found.unreadable}
    if json:
        ui.emit({"fine": found.fine} | {what: [str(path) for path in paths] for what, paths in lists.items()})
    else:
        for what, paths in lists.items():
            for path in paths:
                print(ui.plain(f"{path}: {what}"))
        print(f"{found.fine} fine, " + ", ".join(f"{len(paths)} {what}" for what, paths in lists.items()) + ".")
    if not found.whole:
        raise typer.Exit(1)
