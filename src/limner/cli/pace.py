"""How fast a run goes, on the bar."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from limner.folder.run import Outcome


def paced(outcomes: Iterable[Outcome], bar: Callable[[str, int, int | None], None], total: int) -> Iterator[Outcome]:
    """The outcomes of a run, and after each how many there are of how many, and how many a minute.

    Args:
        outcomes: one after another; those that were there already tell nothing of the pace.
        bar: takes what is done, how much of it, and of how much.
        total: of the photographs.
    """
    started, made = time.perf_counter(), 0
    for number, outcome in enumerate(outcomes, 1):
        yield outcome
        made += outcome.kept is None
        pace = 60 * made / (time.perf_counter() - started)
        bar(f"{number} of {total} photos, {pace:.0f} a minute", number, total)
