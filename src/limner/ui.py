"""How the command line speaks: progress bars and tables for people, JSON for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager


def say(text: str) -> None:
    """A line for people, on the error stream, so that the output stream holds results alone."""
    print(text, file=sys.stderr)


def emit(value: object) -> None:
    """A result for machines, on the output stream."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on the output stream."""
    from rich.console import Console
    from rich.table import Table

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        drawn.add_column(heading, overflow="fold")
    for row in rows:
        drawn.add_row(*row)
    Console().print(drawn)


@contextmanager
def progress(what: str, show: bool = True) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on the error stream; its value is called with (text, done, of how many)."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not show or not console.is_terminal,
    )
    with bar:
        task = bar.add_task(what, total=None)
        yield lambda text, done, total: bar.update(task, description=text, completed=done, total=total)
