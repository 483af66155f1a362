"""The queue: in order, so many and no more, and a place that nobody wants is free."""

import gc
import threading
import weakref
from concurrent.futures import CancelledError

import numpy as np
import pytest

from limner.errors import LimnerError
from limner.page.work import Full, Work


@pytest.fixture
def work():
    queue = Work(most=3)
    yield queue
    queue.close()


class Gate:
    """A job that tells when it has begun, and goes on when it may."""

    def __init__(self):
        self.begun, self.open = threading.Event(), threading.Event()

    def __call__(self, job):
        job.tell("waiting at the gate", 0.5)
        self.begun.set()
        while not self.open.wait(0.01):
            job.tell("waiting at the gate", 0.5)
        return "through"


def test_jobs_are_done_in_their_order_and_know_how_many_come_before(work):
    gate, done = Gate(), []
    first = work.submit(gate)
    second, third = (work.submit(lambda job, n=n: done.append(n)) for n in (2, 3))
    assert gate.begun.wait(5) and (first.ahead, second.ahead, third.ahead) == (0, 1, 2)
    gate.open.set()
    third.future.result(5)
    assert first.future.result(5) == "through" and done == [2, 3] and len(work) == 0
    assert first.text == "waiting at the gate" and first.share == 0.5


def test_a_full_queue_says_so_and_a_place_can_be_taken_before_the_work_is_known(work):
    places = [work.place() for _ in range(3)]
    with pytest.raises(Full, match="^3 photos wait already, which is as many as may: try again in a minute.$"):
        work.place()
    places[2].start(lambda job: "later places go first where their photo is there")
    assert places[2].future.result(5)
    assert len(work) == 2
    with pytest.raises(KeyError), places[0]:
        raise KeyError
    with places[1]:
        pass
    assert len(work) == 0, "a place that is left gives itself back"


def test_a_cancelled_job_frees_its_place_waiting_or_not(work):
    gate = Gate()
    running, waiting = work.submit(gate), work.submit(lambda job: "never")
    assert gate.begun.wait(5)
    waiting.cancel()
    assert waiting.future.cancelled() and len(work) == 1
    running.cancel()
    with pytest.raises(CancelledError):
        running.future.result(5)
    assert work.submit(lambda job: "next").future.result(5) == "next"


def test_an_error_is_the_asker_s_and_the_worker_goes_on(work):
    def failing(job):
        raise LimnerError("no")

    with pytest.raises(LimnerError, match="no"):
        work.submit(failing).future.result(5)
    unwatched = work.submit(lambda job: 1)
    unwatched.future.cancel()  # as asyncio does where the waiting one is cancelled
    assert work.submit(lambda job: 2).future.result(5) == 2


def test_nothing_of_a_job_stays_in_the_worker(work):
    def photo(job):
        made = np.zeros(10)
        kept.append(weakref.ref(made))
        return made

    kept = []
    job = work.submit(photo)
    assert job.future.result(5) is not None
    del job
    work.submit(lambda job: None).future.result(5)
    gc.collect()
    assert kept[0]() is None


def test_a_closed_queue_takes_nothing_and_ends_what_runs():
    work, gate = Work(), Gate()
    job = work.submit(gate)
    assert gate.begun.wait(5)
    work.close()
    with pytest.raises(CancelledError):
        job.future.result(5)
    with pytest.raises(Full, match="being stopped"):
        work.place()
