"""How the command line speaks: progress bars and tables for people, JSON for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from limner.faces.find import Face
    from limner.folder import Outcome
    from limner.restorer import Settings

JSON_HELP = "Print the result as JSON, for machines."


def say(text: str) -> None:
    """A line for people, on the error stream, so that the output stream holds results alone."""
    print(text, file=sys.stderr)


def emit(value: object) -> None:
    """A result for machines, on the output stream."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on the output stream, which is wide where no terminal says how wide it is."""
    from rich.console import Console
    from rich.table import Table

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for number, heading in enumerate(headings):
        drawn.add_column(heading, overflow="fold", no_wrap=number == 0)
    for row in rows:
        drawn.add_row(*row)
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, 160)
    console.print(drawn)


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


def face_as_json(face: Face) -> dict[str, object]:
    """A face as `limner detect --json` prints it."""
    return {
        "box": [round(float(v), 2) for v in face.box],
        "landmarks": [[round(float(x), 2), round(float(y), 2)] for x, y in face.landmarks],
        "score": round(float(face.score), 4),
    }


def outcome_as_json(outcome: Outcome, settings: Settings, weights: str) -> dict[str, object]:
    """What became of a photo, as `limner restore --json` prints it."""
    if outcome.error:
        return {"photo": str(outcome.source), "error": outcome.error}
    names = [str(path) for path in outcome.outputs]
    done = outcome.restoration
    return {
        "photo": str(outcome.source),
        "faces": [face_as_json(face) for face in done.faces] if done else [],
        "referenced": done.referenced if done else None,
        "output": names[0] if len(names) == 1 else names,
        "method": settings.method,
        "weights": weights,
        "seed": settings.seed,
        "invented": done.provenance.invented if done and done.provenance else None,
        "seconds": round(done.seconds, 3) if done else 0.0,
        "skipped": done is None,
        "notes": done.notes if done else [],
    }


def describe(outcome: Outcome) -> None:
    """Tells a person what became of one photo."""
    done, names = outcome.restoration, ", ".join(str(path) for path in outcome.outputs)
    if done is None:
        say(f"{names} is there already: --overwrite makes it anew.")
    elif not done.faces:
        what = "the photo, cleaned" if done.provenance else "the photo as it was"
        say(f"{outcome.source}: no face found, so {names} is {what}.")
    else:
        count = f"{len(done.faces)} face{'s' if len(done.faces) > 1 else ''}"
        made_up = f", {done.provenance.invented or 0:.0%} made up" if done.provenance else ""
        say(f"{names}: {count} restored in {done.seconds:.1f} s{made_up}.")
    for note in done.notes if done else []:
        say(f"  Note: {note}")
