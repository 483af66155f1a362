"""Writes the report of an evaluation beside its figures."""

from __future__ import annotations

from pathlib import Path

from limner.evaluate.report_files.account import Account
from limner.evaluate.report_files.evaluation import Evaluation
from limner.evaluate.report_files.html import html
from limner.evaluate.report_files.markdown import markdown
from limner.photo.write import write_atomically

HTML, MARKDOWN = "report.html", "report.md"


def write_report(folder: Path, evaluation: Evaluation) -> Path:
    """Writes `report.html` and `report.md`.

    Args:
        folder: that gets them.
        evaluation: what was measured.

    Returns:
        The path of the HTML file.

    Raises:
        LimnerError: if a picture can't be read any more.
    """
    account = Account.of(evaluation)
    for name, text in ((MARKDOWN, markdown(account)), (HTML, html(account))):
        # bytes of a file's name that are no characters can't stand in UTF-8
        write_atomically(folder / name, text.encode("utf-8", "backslashreplace"))
    return folder / HTML
