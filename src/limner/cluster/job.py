"""What workers are given to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from limner.folder.in_order import Stop

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Begun(Generic[Item, Result]):
    """A worker that has loaded what it needs.

    Attributes:
        work: from an item to its result; it looks at `stop` between its steps.
        like: what all workers must have in common, by what it is called, or their results would differ.
        told: what the driver wants to know of them.
    """

    work: Callable[[Item, Stop], Result]
    like: dict[str, str]
    told: str = ""


class Job(Protocol[Item, Result]):
    """Goes to every worker once, pickled, as items and results do."""

    def begin(self) -> Begun[Item, Result]:
        """Loads what the work needs, once in each worker.

        Raises:
            LimnerError: it can't be done here, which ends the run.
        """
        ...

    def lost(self, item: Item, deaths: int) -> Result:
        """The result of an item at which so many workers died, one after another; asked in the driver."""
        ...
