"""The command line's `limner compare`: which differences of two evaluations are real."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from limner.cli import output as ui
from limner.cli.options import Json


def compare(
    ours: Annotated[Path, typer.Argument(help="summary.json of an evaluation.")],
    theirs: Annotated[Path, typer.Argument(help="summary.json of another one, of the same pictures.")],
    json: Json = False,
) -> None:
    """Say which differences between two evaluations are real."""
    from dataclasses import asdict

    from limner.evaluate.report import Column
    from limner.evaluate.summary import Summary
    from limner.evaluate.summary import compare as differences

    a, b = Summary.read(ours), Summary.read(theirs)
    found = differences(a, b)
    if json:
        ui.emit([asdict(one) for one in found])
        return
    figure, signed = Column("", "", ".4g"), Column("", "", "+.4g")
    rows = [
        [
            one.key,
            figure.text(one.ours.value),
            figure.text(one.theirs.value),
            signed.text(one.difference.value),
            signed.between(one.difference),
            str(one.pictures),
            "yes" if one.difference.excludes_zero else "no",
        ]
        for one in found
    ]
    ui.table(["metric", a.row, b.row, "difference", "95 %", "pictures", "real"], rows)
