"""The report as Markdown: what a page without pictures can tell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np

from limner.evaluate.report import NOTHING
from limner.evaluate.report_files.account import Account
from limner.evaluate.report_files.table import Cell

_SPECIAL = re.compile(r"[\\`*_{}\[\]()#+!|~$]")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def markdown(account: Account) -> str:
    """The page; every name in it is escaped.

    Args:
        account: what it tells.
    """
    parts = [
        f"# Evaluation: {escaped(account.title)}",
        table(("", ""), ((label, text) for label, text in account.facts)) if account.facts else "",
        "## Figures",
        _figures(account),
        account.marks,
        *map(escaped, account.notes),
        "## Distributions",
        _distributions(account),
        "## Pictures",
        _pictures(account),
        "## Metrics",
        table(
            ("metric", "definition", "range", "better", "variant", "licence of its net"),
            (
                (one.heading, one.definition, one.range, better, variant, licence)
                for one, better, variant, licence in account.definitions()
            ),
        ),
        "## Environment",
        table(("", ""), account.environment),
        "## Weights",
        table(("weights", "used for", "licence"), ((w.name, w.purpose, w.licence) for w in account.evaluation.weights)),
        "## To repeat it",
        code(account.command),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _figures(account: Account) -> str:
    def shown(cell: Cell) -> str:
        figure = f"**{escaped(cell.figure)}**" if cell.best else escaped(cell.figure)
        return f"{figure}<br>{cell.interval}" if cell.interval else figure

    headings = ["row", *(column.heading for column in account.evaluation.columns)]
    rows = [[escaped(row.name), *map(shown, row.cells)] for row in account.table]
    return _table(map(escaped, headings), rows)


def _distributions(account: Account) -> str:
    """Five numbers of each metric and row, in the place of a drawing."""
    rows = []
    for metric in account.evaluation.metrics:
        for summary in account.evaluation.summaries:
            figures = summary.figures.get(metric.key, np.zeros(0))
            there = figures[np.isfinite(figures)]
            if metric.brief and len(there):
                quartiles = np.percentile(there, [0, 25, 50, 75, 100]).tolist()
                left_out = str(len(figures) - len(there)) if len(there) < len(figures) else NOTHING
                rows.append([metric.heading, summary.row, *map(metric.text, quartiles), left_out])
    return table(("metric", "row", "least", "quarter", "median", "three quarters", "most", "not finite"), rows)


def _pictures(account: Account) -> str:
    """The names of the pictures that the HTML page shows."""
    rows = [
        [sheet.metric.heading, sheet.row, group, ", ".join(f"{card.name} ({card.figure})" for card in cards)]
        for sheet in account.album.sheets
        for group, cards in sheet.groups.items()
    ]
    return table(("by", "row", "", "pictures"), rows)


def table(headings: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of plain texts, which are escaped; empty without rows."""
    return _table(map(escaped, headings), [list(map(escaped, row)) for row in rows])


def _table(headings: Iterable[str], rows: Sequence[Sequence[str]]) -> str:
    head = list(headings)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) if rows else ""


def escaped(text: str) -> str:
    """A text that Markdown shows as it is, on one line."""
    line = " ".join(text.split())
    return _SPECIAL.sub(r"\\\g<0>", re.sub("[&<>]", lambda found: _HTML[found[0]], line))


def code(text: str) -> str:
    """A text as a block of code, whatever is in it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"
