"""Workers that are kept at work: each has one thing in hand and one in store, and what becomes of the things is told in
their order.

A worker that dies is replaced. What it had in hand is begun anew by another, twice at most; what it had in store goes
back uncharged, for Ray lets a worker begin a thing when it has ended the one before. Each of them is then a worker's
only thing: that one was done may not have been told yet when the next one ended the worker, and it would be charged
with that again and again.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic

from limner.cluster.job import Item, Job, Result
from limner.cluster.ray_package import exceptions, ray
from limner.cluster.room import Room
from limner.cluster.worker import Ready, Worker
from limner.errors import LimnerError
from limner.folder.in_order import WAKING

RETRIES = 2
"""How often a thing is begun anew after its worker has died."""
STILLBORN = 3
"""Workers in a row that die while they load: more would, too."""
IN_HAND = 2
"""Things that a worker has, one of them in store, so that it needn't wait for the driver."""
AHEAD = 16
"""Things for each worker that may be done while an earlier one isn't."""
ENDING = 30.0
"""Seconds in which what is being written is written when a run is called off."""


@dataclass(eq=False)
class _Task(Generic[Item, Result]):
    """A thing to do: whether it is done, how many workers have died at it, and whether one that had it has died."""

    item: Item
    deaths: int = 0
    suspect: bool = False
    done: bool = False
    result: Result | None = None

    def outcome(self) -> Result:
        """The result of a thing that is done."""
        return self.result  # type: ignore[return-value]  # it may be None only where that is a result


@dataclass(eq=False)
class _Hand:
    """A worker as the driver sees it, with what it has in hand, by what Ray knows it by, in order."""

    actor: Any
    begin: Any
    ready: bool = False
    has: dict[Any, _Task[Any, Any]] = field(default_factory=dict)


class Pool(Generic[Item, Result]):
    """Workers for one job; `with` ends them. This process is connected to Ray, see `connected`.

    Args:
        job: of all workers.
        room: for them.
        most: things to do, at most: no more workers are made.

    Attributes:
        ready: the workers that have begun, in the order in which they did.
        died_at: things at which workers have died.

    Raises:
        LimnerError: the job can't be begun.
    """

    def __init__(self, job: Job[Item, Result], room: Room, most: int):
        self.job, self.ready = job, list[Ready]()
        self._make = ray.remote(Worker).options(
            num_cpus=room.cpus, num_gpus=room.gpus, memory=room.memory, max_restarts=0, max_task_retries=0
        )
        self._hands, self._stillborn = list[_Hand](), 0
        self._again = deque[_Task[Item, Result]]()
        self.died_at = list[Item]()
        for _ in range(min(room.workers, max(most, 1))):
            self._hire()

    def __enter__(self) -> Pool[Item, Result]:
        return self

    def __exit__(self, *_: object) -> None:
        """Calls off what is under way, waits for what is being written, and ends the workers."""
        under_way = [ref for hand in self._hands for ref in hand.has]
        try:
            for ref in under_way:
                ray.cancel(ref)
            if under_way:
                ray.wait(under_way, num_returns=len(under_way), timeout=ENDING)
        finally:
            for hand in self._hands:
                ray.kill(hand.actor)

    def first(self) -> Ready:
        """What the first worker that has begun tells; waits for it.

        Raises:
            LimnerError: see `each`.
        """
        while not self.ready:
            self._wait()
        return self.ready[0]

    def each(self, items: Iterable[Item]) -> Generator[Result]:
        """What becomes of each item, in their order.

        Args:
            items: drawn one after another in the thread that asks for results, when a worker has room for one.

        Raises:
            LimnerError: workers die while they load, or differ; and what the job or `items` raise.
        """
        drawn, source = deque[_Task[Item, Result]](), iter(items)
        while self._hand_out(source, drawn) or drawn:
            while drawn and drawn[0].done:
                yield drawn.popleft().outcome()
            self._wait()

    def _hand_out(self, source: Iterator[Item], drawn: deque[_Task[Item, Result]]) -> bool:
        """Gives workers what they have room for; whether there may be more in the source."""
        while hand := self._free():
            if self._again:
                if hand.has:  # then no worker has nothing else
                    return True
                task = self._again.popleft()
            elif len(drawn) >= AHEAD * len(self._hands):
                return True
            else:
                try:
                    task = _Task[Item, Result](next(source))
                except StopIteration:
                    return False
                drawn.append(task)
            hand.has[hand.actor.work.remote(task.item)] = task
        return True

    def _free(self) -> _Hand | None:
        """The worker that has least to do, if it has room."""
        open_to_more = (
            hand for hand in self._hands if hand.ready and not any(task.suspect for task in hand.has.values())
        )
        least = min(open_to_more, key=lambda hand: len(hand.has), default=None)
        return least if least and len(least.has) < IN_HAND else None

    def _wait(self) -> None:
        """Until something is done, for a moment at most."""
        owners = {ref: hand for hand in self._hands for ref in hand.has}
        owners |= {hand.begin: hand for hand in self._hands if not hand.ready}
        refs = list(owners)
        if not refs or not ray.wait(refs, timeout=WAKING)[0]:
            return
        for ref in ray.wait(refs, num_returns=len(refs), timeout=0)[0]:  # all that are: of many workers several
            hand = owners[ref]
            if hand in self._hands:  # it may have been found dead by another thing of it
                self._take(hand, ref)

    def _take(self, hand: _Hand, ref: Any) -> None:
        """What a worker has done, or that it has died."""
        result: Any
        try:
            result = ray.get(ref)
        except exceptions.RayTaskError as error:
            raise error.cause from error  # what the job raised, where it did
        except exceptions.RayError as error:
            self._bury(hand, error)
        else:
            if hand.ready:
                task = hand.has.pop(ref)
                task.done, task.result = True, result
            else:
                self._welcome(hand, result)

    def _welcome(self, hand: _Hand, ready: Ready) -> None:
        """A worker has begun."""
        first = self.ready[0] if self.ready else ready
        for what, here in ready.like.items():
            if (there := first.like[what]) != here:
                raise LimnerError(
                    f"The machines differ: {what} is {there} on {first.host} and {here} on {ready.host}, so that "
                    "results would, too. Choose machines that are alike, or --device and --dtype."
                )
        self.ready.append(ready)
        self._stillborn, hand.ready = 0, True

    def _hire(self) -> None:
        actor = self._make.remote(os.getcwd())
        self._hands.append(_Hand(actor, actor.begin.remote(self.job)))

    def _bury(self, hand: _Hand, error: exceptions.RayError) -> None:
        """A worker has died: another takes its place and what it had."""
        self._hands.remove(hand)
        ray.kill(hand.actor)  # where it merely can't be reached
        if not hand.ready:
            self._stillborn += 1
            if self._stillborn >= STILLBORN:
                said = [line for line in str(error).splitlines() if line.strip()][-1].strip()
                raise LimnerError(
                    f"{STILLBORN} workers in a row died while they loaded ({said}): is limner installed on every "
                    "machine, and is there memory enough? A larger --threads makes fewer workers."
                )
        tasks = [task for ref, task in hand.has.items() if not self._saved(ref, task)]
        if tasks:
            tasks[0].deaths += 1
            self.died_at.append(tasks[0].item)
            if tasks[0].deaths > RETRIES:
                lost = tasks.pop(0)
                lost.done, lost.result = True, self.job.lost(lost.item, lost.deaths)
        for task in tasks:
            task.suspect = True
        self._again.extendleft(reversed(tasks))
        self._hire()

    def _saved(self, ref: Any, task: _Task[Item, Result]) -> bool:
        """Whether a thing was done before its worker died."""
        with suppress(exceptions.RayError):
            task.result = ray.get(ref, timeout=0)
            task.done = True
        return task.done
