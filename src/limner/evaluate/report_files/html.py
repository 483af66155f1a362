"""The report as one HTML file that needs nothing else: pictures, style and script lie within it."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from limner.evaluate.report_files.account import Account
from limner.evaluate.report_files.charts import distributions, scatters


def html(account: Account) -> str:
    """The page; every name in it is escaped, and it asks no server for anything.

    Args:
        account: what it tells.
    """
    # autoescape: names of rows and files are anybody's
    templates = Environment(
        loader=PackageLoader("limner.evaluate.report_files", "template"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return templates.get_template("page.html").render(
        account=account,
        evaluation=account.evaluation,
        distributions=distributions(account.evaluation),
        scatters=scatters(account.evaluation),
    )
