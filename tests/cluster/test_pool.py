"""Workers that are kept at work, and that die."""

import os
import signal
import time
from collections import deque
from contextlib import closing

import pytest

from limner.cluster.pool import AHEAD, RETRIES, Pool
from limner.cluster.ray_package import exceptions
from limner.cluster.room import Room
from limner.errors import LimnerError

from .jobs import Squares

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("two_cpus")]
TWO = Room(2, 1, memory=2**20)


def begun(folder, item: int) -> list[int]:
    """The processes that an item was begun in."""
    return [int(line) for line in (folder / f"{item}").read_text().split()]


def test_results_come_in_order_and_both_workers_do_something(tmp_path):
    drawn = list[int]()

    def items():
        for number in range(60):
            drawn.append(number)
            yield number

    with Pool(Squares(tmp_path), TWO, 60) as pool:
        assert pool.first().told == "squares"
        results = pool.each(items())
        assert next(results) == 0, "which takes longest"
        assert 1 < len(drawn) <= 2 * AHEAD, "others were done meanwhile"
        assert list(results) == [number**2 for number in range(1, 60)]
        assert len(pool.ready) == 2
    assert len({begun(tmp_path, number)[0] for number in range(60)}) == 2
    assert all(len(begun(tmp_path, number)) == 1 for number in range(60))


def test_what_kills_its_workers_is_given_up_and_nothing_else_is(tmp_path):
    with Pool(Squares(tmp_path), TWO, 9) as pool:
        assert list(pool.each([1, 2, -1, 3, 4, 5])) == [1, 4, 1000 + RETRIES + 1, 9, 16, 25]
        assert pool.died_at.count(-1) == RETRIES + 1, "what was done but not told yet may be begun anew beside it"
    workers = begun(tmp_path, -1)
    # one more for each death that is told of what the worker had done, but not told yet
    assert len(set(workers)) == len(workers) == len(pool.died_at), "another worker each time, of which none survived"


def test_what_a_dead_worker_had_is_a_workers_only_thing(tmp_path):
    """Or a thing that was done but not told would be charged with the death that the one behind it brings."""
    with Pool(Squares(tmp_path), Room(1, 1, memory=2**20), 9) as pool:
        pool.first()
        drawn = deque()
        pool._hand_out(iter([7, -1, 8]), drawn)
        first, second = pool._hands[0].has.values()
        pool._bury(pool._hands[0], exceptions.RayError("told late"))
        assert pool.died_at and {first.item, second.item} == {7, -1}
        while not pool._hands[0].ready:
            pool._wait()
        pool._hand_out(iter([8]), drawn)
        assert [task.item for task in pool._hands[0].has.values()] == [7]


def test_what_a_killed_worker_had_is_done_by_another(tmp_path):
    with Pool(Squares(tmp_path), TWO, 60) as pool:
        results = pool.each(range(60))
        done = [next(results)]
        os.kill(pool.ready[0].process, signal.SIGKILL)
        assert done + list(results) == [number**2 for number in range(60)]
        # all may be done before the one in its place has begun
        assert 2 <= len(pool.ready) <= 3 and len(pool.died_at) <= 1


def test_a_run_that_ends_calls_off_what_is_under_way(tmp_path):
    with Pool(Squares(tmp_path), TWO, 4) as pool, closing(pool.each([1, -2, -2, 7, 8, 9])) as results:
        assert next(results) == 1
        while not (tmp_path / "-2").exists():
            time.sleep(0.02)
    assert (tmp_path / "called off").exists()


def test_what_the_job_raises_ends_the_run(tmp_path):
    with Pool(Squares(tmp_path), TWO, 4) as pool, pytest.raises(LimnerError, match=r"^It is odd\.$"):
        list(pool.each([1, -3, 2]))


def test_workers_that_cannot_begin_are_told(tmp_path):
    with (
        Pool(Squares(tmp_path, "fails"), TWO, 4) as pool,
        pytest.raises(LimnerError, match=r"^On the machine .*: There are no numbers\.$"),
    ):
        pool.first()


def test_workers_that_die_while_they_load_are_told(tmp_path):
    with (
        Pool(Squares(tmp_path, "dies"), TWO, 4) as pool,
        pytest.raises(LimnerError, match="3 workers in a row died while they loaded"),
    ):
        list(pool.each([1]))


def test_workers_whose_results_would_differ_are_refused(tmp_path):
    with (
        Pool(Squares(tmp_path, "unlike"), TWO, 40) as pool,
        pytest.raises(LimnerError, match=r"The machines differ: the number is \d+ on .* and \d+ on .*, so that "),
    ):
        pool.first()
        while len(pool.ready) < 2:
            list(pool.each(range(9)))
