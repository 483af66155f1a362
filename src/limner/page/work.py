"""The queue: so many photographs wait, one is worked on, and whoever comes then is told to come again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from types import TracebackType
from typing import Generic, Self, TypeVar

from limner.errors import Cancelled, LimnerError

T = TypeVar("T")

WAITING = "waiting"


class Full(LimnerError):
    """The queue takes no more."""


class Job(Generic[T]):
    """A place in the queue, and what becomes of it; `Work.place` makes it. As a context it gives the place back where
    an error comes before `start`.

    Attributes:
        text: what is being done, for people.
        share: how much of it is done, 0 to 1; None where nobody knows.
        future: the result, once it is there; cancelled where the job was.
    """

    def __init__(self, work: Work):
        self._work = work
        self.what: Callable[[], T] | None = None
        self.text = WAITING
        self.share: float | None = None
        self.future: Future[T] = Future()
        self.unwanted = False

    def start(self, what: Callable[[Job[T]], T]) -> Self:
        """Says what is to be done when its turn comes: a function of the job, which it tells how far it is."""
        self._work.ready(self, lambda: what(self))
        return self

    def tell(self, text: str, share: float | None = None) -> None:
        """Called by the work itself.

        Raises:
            Cancelled: if nobody wants it any longer.
        """
        if self.unwanted:
            raise Cancelled
        self.text, self.share = text, share

    def cancel(self) -> None:
        """Gives the place back: at once where the job waits, else as soon as it next tells how far it is."""
        self.unwanted = True
        self._work.drop(self)

    @property
    def ahead(self) -> int:
        """How many jobs come before this one, with that which is being done."""
        return self._work.ahead_of(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        if error is not None or self.what is None:
            self.cancel()


class Work:
    """The queue of one device, with its one worker.

    Args:
        most: how many jobs there may be, with that which is being done.
    """

    def __init__(self, most: int = 32):
        self.most = most
        self._jobs: list[Job] = []
        self._running: Job | None = None
        self._closed = False
        self._changed = threading.Condition()
        threading.Thread(target=self._run, name="limner-work", daemon=True).start()

    def __len__(self) -> int:
        return len(self._jobs)

    def place(self) -> Job:
        """A place in the queue, before it is known what for: whoever sends a photograph needs one first.

        Raises:
            Full: if there is none.
        """
        with self._changed:
            if self._closed:
                raise Full("limner is being stopped: start it again.")
            if len(self._jobs) >= self.most:
                raise Full(f"{len(self._jobs)} photos wait already, which is as many as may: try again in a minute.")
            job = Job(self)
            self._jobs.append(job)
            return job

    def submit(self, what: Callable[[Job[T]], T]) -> Job[T]:
        """A place and what it is for.

        Raises:
            Full: if there is none.
        """
        return self.place().start(what)

    def close(self) -> None:
        """Ends the worker, and cancels all that waits or is being done."""
        with self._changed:
            self._closed = True
            for job in list(self._jobs):
                job.cancel()
            self._changed.notify_all()

    def ready(self, job: Job, what: Callable[[], object]) -> None:
        """See `Job.start`."""
        with self._changed:
            job.what = what
            self._changed.notify_all()

    def drop(self, job: Job) -> None:
        """See `Job.cancel`."""
        with self._changed:
            if job is not self._running and job in self._jobs:
                self._jobs.remove(job)
                job.what = None
                job.future.cancel()

    def ahead_of(self, job: Job) -> int:
        """See `Job.ahead`."""
        with self._changed:
            return self._jobs.index(job) if job in self._jobs else 0

    def _run(self) -> None:
        while (job := self._next()) is not None:
            outcome: object = None
            error: Exception | None = None
            try:
                outcome = job.what() if job.what else None
            except Exception as raised:
                error = raised
            with self._changed:
                self._running = None
                self._jobs.remove(job)
                job.what = None
            _finish(job, outcome, error)
            del job, outcome, error  # no photo stays until the next

    def _next(self) -> Job | None:
        """Waits for a job whose photograph is there; None when the queue is closed."""
        with self._changed:
            while not self._closed:
                for job in self._jobs:
                    if job.what:
                        self._running = job
                        return job
                self._changed.wait()
        return None


def _finish(job: Job, outcome: object, error: Exception | None) -> None:
    with suppress(InvalidStateError):  # whoever waited may have cancelled the future this moment
        if job.unwanted or isinstance(error, Cancelled):
            job.future.cancel()
        elif error is not None:
            job.future.set_exception(error)
        else:
            job.future.set_result(outcome)
