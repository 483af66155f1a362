"""`limner methods`: what there is."""

from __future__ import annotations

from dataclasses import asdict

from limner.cli import output as ui
from limner.cli.options import Json


def methods(json: Json = False) -> None:
    """List the restoration methods."""
    from limner.methods import list_methods

    if json:
        ui.emit([{name: value for name, value in asdict(one).items() if name != "home"} for one in list_methods()])
    else:
        rows = [[one.name, one.when, one.title, one.paper, "yes" if one.references else "no"] for one in list_methods()]
        ui.table(["method", "choose it when", "how", "paper", "references"], rows)
