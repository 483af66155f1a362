"""Several at once, in order, within bounds, and no thread left whatever happens."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from limner.errors import Cancelled
from limner.folder.in_order import Bounds, Stop, in_order

LOOSE = Bounds(at_once=3, most=8, weight=float("inf"))


@dataclass
class Watched:
    """Items that are drawn and worked on, and how many of either there were at once.

    Attributes:
        work: what is done with each.
        drawn: so many so far.
        working, most: at this moment, and at any.
        by: the threads that worked.
    """

    work: Callable[[int, Stop], int] = lambda item, stop: item
    drawn: int = 0
    working: int = 0
    most: int = 0
    by: set[threading.Thread] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def items(self, count: int) -> Iterator[int]:
        for item in range(count):
            self.drawn += 1
            yield item

    def __call__(self, item: int, stop: Stop) -> int:
        with self.lock:
            self.working += 1
            self.most = max(self.most, self.working)
            self.by.add(threading.current_thread())
        try:
            return self.work(item, stop)
        finally:
            with self.lock:
                self.working -= 1

    def nobody_is_left(self) -> bool:
        return not any(thread.is_alive() for thread in self.by)


def napping(item: int, stop: Stop) -> int:
    """Later items are done sooner."""
    time.sleep(0.02 if item % 3 == 0 else 0.001)
    return item


def test_results_come_in_order_and_so_many_are_worked_on_at_once():
    watched = Watched(napping)
    assert list(in_order(watched.items(20), watched, lambda _: 1.0, LOOSE)) == list(range(20))
    assert 1 < watched.most <= 3 and len(watched.by) == 3 and watched.nobody_is_left()
    assert list(in_order([], watched, lambda _: 1.0, LOOSE)) == []


def test_no_more_are_drawn_than_may_wait():
    watched = Watched(napping)
    ahead = [watched.drawn - 1 - got for got in in_order(watched.items(30), watched, lambda _: 1.0, LOOSE)]
    assert max(ahead) <= LOOSE.most
    run = in_order(watched.items(30), watched, lambda _: 1.0, LOOSE)
    watched.drawn = 0
    assert watched.drawn == 0, "nothing is drawn before a result is asked for"
    next(run)
    assert watched.drawn <= LOOSE.most + 1
    run.close()
    assert watched.nobody_is_left()


def test_no_more_are_drawn_than_can_be_begun_soon():
    """The first takes long, so that nothing is handed out; two are worked on, a third waits."""
    go = threading.Event()
    watched = Watched(lambda item, stop: (item == 0 and go.wait(5)) or (item == 1 and go.wait(5)) or item)
    results = in_order(watched.items(8), watched, lambda item: 0, Bounds(at_once=2, most=8, weight=1))
    asked = threading.Thread(target=lambda: next(results))
    asked.start()
    time.sleep(0.3)
    drawn = watched.drawn
    go.set()
    asked.join()
    assert drawn == 3
    results.close()
    assert watched.nobody_is_left()


def test_no_more_weight_is_under_way_than_may_be():
    weights = [1, 1, 5, 1, 9, 2, 2, 2, 2, 1]
    there, most, lock = set[int](), list[float](), threading.Lock()

    def weighed(item: int, stop: Stop) -> int:
        with lock:
            there.add(item)
            most.append(sum(weights[one] for one in there))
        time.sleep(0.005)
        return item

    for item in in_order(range(len(weights)), weighed, lambda item: weights[item], Bounds(4, 8, 6.0)):
        with lock:
            there.remove(item)  # as whoever asked for it lets go of it
    heaviest = max(most)
    assert 5 <= heaviest <= 9 and sum(one > 6 for one in most) == 1, "what is too heavy is worked on alone"


def test_an_error_ends_it_after_the_results_before():
    def failing(item: int, stop: Stop) -> int:
        if item == 4:
            raise ZeroDivisionError("four")
        return item

    watched, got = Watched(failing), []
    with pytest.raises(ZeroDivisionError, match="four"):
        for one in in_order(watched.items(50), watched, lambda _: 1.0, Bounds(1, 4, 99.0)):
            got.append(one)
    assert got == [0, 1, 2, 3] and watched.drawn <= 9 and watched.nobody_is_left()


def test_of_several_errors_the_first_is_told_and_the_others_stop():
    """The first item waits until it is told to stop, because the second failed."""

    def failing(item: int, stop: Stop) -> int:
        if item == 1:
            raise KeyboardInterrupt
        for _ in range(500):
            stop.check()
            time.sleep(0.01)
        return item

    watched = Watched(failing)
    with pytest.raises(KeyboardInterrupt):
        list(in_order(watched.items(50), watched, lambda _: 1.0, LOOSE))
    assert watched.nobody_is_left()


def test_whoever_closes_it_ends_what_is_under_way():
    stopped, begun = [], threading.Barrier(3)

    def waiting(item: int, stop: Stop) -> int:
        if item < 3:
            begun.wait(10)
        while item:
            try:
                stop.check()
            except Cancelled:
                stopped.append(item)
                raise
            time.sleep(0.005)
        return item

    watched = Watched(waiting)
    run = in_order(watched.items(50), watched, lambda _: 1.0, LOOSE)
    assert next(run) == 0
    run.close()
    assert set(stopped) >= {1, 2} and len(watched.by) == 3 and watched.nobody_is_left()


def test_errors_of_drawing_and_weighing_come_through():
    def broken() -> Iterator[int]:
        yield 0
        raise LookupError("no more")

    watched = Watched(napping)
    with pytest.raises(LookupError):
        list(in_order(broken(), watched, lambda _: 1.0, LOOSE))
    with pytest.raises(ZeroDivisionError):
        list(in_order(range(1, -1, -1), watched, lambda item: 1 / item, LOOSE))
    assert watched.nobody_is_left()


def test_items_are_drawn_in_the_thread_that_asks():
    """An iterator over a database may be used by no other."""
    drawn = []

    def items() -> Iterator[int]:
        for item in range(5):
            drawn.append(threading.current_thread())
            yield item

    assert list(in_order(items(), napping, lambda _: 1.0, LOOSE)) == list(range(5))
    assert set(drawn) == {threading.current_thread()}
