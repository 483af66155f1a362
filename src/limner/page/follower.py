"""A job of the queue as people follow it on the page: one place tells how far it is, one button stops it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import CancelledError
from functools import wraps
from typing import TYPE_CHECKING, Any

from limner.errors import LimnerError
from limner.extras import needed
from limner.page import html, words
from limner.page.album import without_album
from limner.page.restoring import without_folder
from limner.page.service import Service
from limner.page.session import Session
from limner.page.work import Job

with needed("gradio", "The page"):
    import gradio as gr

if TYPE_CHECKING:
    from gradio.components import Component

TICK = 0.2
"""Seconds between two looks at how far a job is."""

Shown = dict[Any, Any]
"""What changes on the page: values and settings by parts of it."""

STOPPED = "Stopped."
"""What is told of a job that was cancelled."""


class Follower:
    """One place where jobs are followed; of each window one job at a time.

    Args:
        service: whose queue it is.
        status: where everything is told.
        start: the button that starts a job.
        stop: the one that ends it.
        others: what else may not be pressed until a job is done.
    """

    def __init__(
        self,
        service: Service,
        status: gr.HTML,
        start: gr.Button,
        stop: gr.Button,
        others: Sequence[Component] = (),
    ):
        self.service, self.status, self.start, self.stop, self.others = service, status, start, stop, others

    @property
    def parts(self) -> list[Component]:
        """What `told`, `followed` and `free` change."""
        return [self.status, self.start, self.stop, *self.others]

    def told(self, text: str, share: float | None = None, busy: bool = False) -> Shown:
        """A sentence in the place where everything is told."""
        return {
            self.status: html.status(text, share, busy),
            self.start: gr.Button(interactive=not busy),
            self.stop: gr.Button(visible=busy),
        }

    def free(self, whether: bool) -> Shown:
        """Whether what begins a job may be pressed."""
        return {one: gr.update(interactive=whether) for one in (self.start, *self.others)}

    async def followed(
        self, session: Session, what: Callable[[Job], object], named: str, failed: list[str]
    ) -> AsyncIterator[Shown]:
        """Gives a job to the queue and shows how far it is until it is done.

        Args:
            session: of the window.
            what: is done, see `Job.start`.
            named: what it is, as long as it waits.
            failed: is told what fails, and `STOPPED`.
        """
        try:
            job = session.jobs[self.status] = self.service.work.submit(what)
        except LimnerError as error:
            failed.append(str(error))
            return
        while not job.future.done():
            yield self.told(words.of_job(job, named), job.share, busy=True)
            await asyncio.sleep(TICK)
        if session.jobs.get(self.status) is job:  # else another has begun here meanwhile
            del session.jobs[self.status]
        try:
            job.future.result()
        except CancelledError:
            failed.append(STOPPED)
        except LimnerError as error:
            failed.append(without_album(without_folder(str(error), session.folder)))
        except Exception as error:
            failed.append(f"{named}: limner failed ({type(error).__name__}).")

    def cancel(self, session: Session) -> None:
        """Ends the job that is followed here."""
        if job := session.jobs.get(self.status):
            job.cancel()


def alone(event: Callable[..., AsyncIterator[Shown]]) -> Callable[..., AsyncIterator[Shown]]:
    """An event of the page's that works on a window's photographs: until it is done, what begins another can't be
    pressed; one that came all the same, as a long upload that ends meanwhile does, has its turn then.

    Args:
        event: a method of what has `sessions` and a `follower`.
    """

    @wraps(event)
    async def in_turn(self: Any, *given: Any) -> AsyncIterator[Shown]:
        name = next(one.session_hash for one in given if hasattr(one, "session_hash"))
        session = self.sessions.of(name or "")
        async with session.at_photos:
            if self.sessions.with_token(session.folder.name) is None:
                return  # the window was closed meanwhile
            yield self.follower.free(False)
            async for shown in event(self, *given):
                yield shown
            yield self.follower.free(True)

    return in_turn
