"""How the command line speaks: progress bars and tables for people, JSON for machines."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from limner.faces.references import FacePerson

JSON_HELP = "Print the result as JSON, for machines."
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def plain(text: str) -> str:
    """A text that a terminal shows and never obeys: control characters, which a file's name may hold, and bytes that
    are no characters stand as escapes."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def say(text: str) -> None:
    """A line for people, on the error stream, so that the output stream holds results alone."""
    print(plain(text), file=sys.stderr)


def emit(value: object) -> None:
    """A result for machines, on the output stream: JSON in ASCII, which every console's encoding holds. Bytes of a
    file's name that are no characters stand as Python's `os.fsdecode` gives them, `\\udc80` to `\\udcff`."""
    print(json.dumps(value, indent=2))


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on the output stream, which is wide where no terminal says how wide it is."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for number, heading in enumerate(headings):
        drawn.add_column(heading, overflow="fold", no_wrap=number == 0)
    for row in rows:
        drawn.add_row(*(Text(plain(cell)) for cell in row))
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, 500)
    console.print(drawn)


@contextmanager
def progress(what: str, show: bool = True) -> Iterator[Callable[[str, int, int | None], None]]:
    """A progress bar on the error stream; its value is called with (text, done, of how many; None where nobody
    knows). It begins with `what`, so that it tells from the start what is waited for."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not show or not console.is_terminal,
    )
    with bar:
        task = bar.add_task(what, total=None)
        yield lambda text, done, total: bar.update(task, description=plain(text), completed=done, total=total)


def person_as_json(one: FacePerson) -> dict[str, object]:
    """Who a face is, by the album, as `limner restore --json` prints it; null is nobody."""
    return {
        "face": one.face,
        "verdict": one.verdict,
        "person": one.person,
        "likeness": one.likeness,
        "references": [{"photo": photo, "why": why} for photo, why in one.references],
    }
