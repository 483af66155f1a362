"""Several at once, and yet in order: what is under way is bounded in number and in weight."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event
from typing import TypeVar

from limner.errors import Cancelled

T = TypeVar("T")
R = TypeVar("R")

WAKING = 0.2
"""Seconds after which a wait looks up: on Windows Ctrl-C doesn't reach a thread that waits for ever."""


@dataclass(frozen=True)
class Bounds:
    """How much may be under way.

    Attributes:
        at_once: things that are worked on.
        most: things that were drawn and not handed out yet, at least `at_once`.
        weight: of these together; a heavier one is worked on alone.
    """

    at_once: int
    most: int
    weight: float


class Stop:
    """The end of a run, for those who work for it to look at."""

    def __init__(self) -> None:
        self._asked = Event()
        self.error: BaseException | None = None

    def because(self, error: BaseException | None = None) -> None:
        """Ends the run; of several errors the first is the reason."""
        if self.error is None and not self._asked.is_set():
            self.error = error
        self._asked.set()

    def __bool__(self) -> bool:
        return self._asked.is_set()

    def check(self) -> None:
        """
        Raises:
            Cancelled: if the run is to end.
        """
        if self:
            raise Cancelled


def in_order(
    items: Iterable[T], work: Callable[[T, Stop], R], weight: Callable[[T], float], bounds: Bounds
) -> Generator[R]:
    """What becomes of each item, in the order in which they are drawn.

    Items are drawn and weighed in the thread that asks for results, no further ahead than the bounds reach, and one
    more at most than can be worked on, since others may take them as well. Each is worked on in one of `at_once`
    threads from beginning to end, in which none waits for another's stage. Whoever closes the generator, or meets an
    error in it, finds no thread of it alive.

    Args:
        items: drawn one after another.
        work: from an item to its result. It looks at `stop` between its steps. What it raises ends the run.
        weight: of an item, in the unit of the bounds.
        bounds: see there.

    Raises:
        Whatever `work` raised first, where the first result is missing; and what `items` and `weight` raise.
    """
    stop, under_way = Stop(), deque[tuple[float, Future[R]]]()

    def guarded(item: T) -> R:
        try:
            stop.check()
            return work(item, stop)
        except BaseException as error:
            stop.because(error)
            raise

    pool = ThreadPoolExecutor(bounds.at_once, "limner-in-order")
    try:
        for item in items:
            heavy = weight(item)
            while under_way and (
                under_way[0][1].done()
                or len(under_way) >= bounds.most
                or sum(one for one, _ in under_way) + heavy > bounds.weight
            ):
                yield _result(under_way.popleft()[1], stop)
            under_way.append((heavy, pool.submit(guarded, item)))
            while len(waiting := [one for _, one in under_way if not one.done()]) > bounds.at_once:
                if under_way[0][1].done():
                    yield _result(under_way.popleft()[1], stop)
                else:  # what can't be begun soon is left to others
                    wait(waiting, WAKING, FIRST_COMPLETED)
        while under_way:
            yield _result(under_way.popleft()[1], stop)
    finally:
        stop.because()
        pool.shutdown(cancel_futures=True)


def _result(future: Future[R], stop: Stop) -> R:
    while not wait([future], WAKING).done:
        pass
    if future.exception() is not None and stop.error is not None:
        raise stop.error
    return future.result()
