"""The report of faces that were restored side by side, with the weights that restored them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import nn

from limner.evaluate.definitions.given_nets import GivenNet
from limner.evaluate.picture_files import picture_of
from limner.evaluate.picture_sets import Seen
from limner.evaluate.report_files.evaluation import Evaluation, UsedWeights, weights_of_extractors
from limner.evaluate.report_files.write import write_report
from limner.evaluate.side_by_side import INPUT, TRUTH, SideBySide
from limner.evaluate.summary import Summary
from limner.restorer import Restorer
from limner.weights import find


def report_rows(
    protocol: str,
    rows: SideBySide,
    summaries: Mapping[str, Summary],
    restorers: Mapping[str, Restorer],
    given: GivenNet,
    title: str = "",
) -> Path:
    """Writes the report beside the rows.

    Args:
        protocol, title: see `Evaluation`.
        rows: that were measured.
        summaries: of each.
        restorers: behind some of them, by the rows' names.
        given: nets of the user's.

    Returns:
        The path of the HTML file.
    """
    weights = [*weights_of(restorers), *weights_of_extractors(rows.measures.extractors)]
    more = (*given.metrics, *given.set_metrics)
    told = Evaluation(
        protocol,
        [*summaries.values()],
        lambda row, name: see(rows, row, name),
        weights,
        ceilings_of(restorers),
        more,
        title,
    )
    return write_report(rows.folder, told)


def see(rows: SideBySide, row: str, name: str) -> Seen:
    """A picture of a row with its truth and input, as they are on disk.

    Raises:
        LimnerError: if a file is gone.
    """
    truth, given = rows.folder / TRUTH / f"{name}.png", rows.of(INPUT) / f"{name}.png"
    known = picture_of(truth) if rows.measures.truths else None
    return Seen(name, picture_of(rows.of(row) / f"{name}.png"), known, picture_of(given))


def weights_of(restorers: Mapping[str, Restorer]) -> list[UsedWeights]:
    """The weights that restore and finish, and those that join a restoration with its photo, if any is joined."""
    used = []
    for row, restorer in restorers.items():
        info, parts = restorer.method.info, restorer.method.pipeline.components
        nets = ", ".join(name for name, part in parts.items() if isinstance(part, nn.Module))
        used.append(UsedWeights(f"{info.name}, {info.origin}", f"restoring: {row} ({nets})", info.licence))
        if restorer.finish:
            used.append(UsedWeights("mini/difface-prior", f"finishing: {row}", find("mini/difface-prior").licence))
    joined = any(restorer.settings.strength == "auto" for restorer in restorers.values())
    joining = [find(name) for name in ("mini/clean", "mini/fusion")] if joined else []
    return [*used, *(UsedWeights(one.name, "joining a restoration with its photo", one.licence) for one in joining)]


def ceilings_of(restorers: Mapping[str, Restorer]) -> frozenset[str]:
    """The names of the rows that are shown the truth."""
    return frozenset(name for restorer in restorers.values() for name in restorer.method.pipeline.ceilings())
