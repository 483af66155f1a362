"""A job of the queue as people follow it on the page: one place tells how far it is, one button stops it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import CancelledError
from typing import Any

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

TICK = 0.2
"""Seconds between two looks at how far a job is."""

Shown = dict[Any, Any]
"""What changes on the page: values and settings by parts of it."""

STOPPED: Shown = {}
"""What `followed` gives last of a job that was cancelled."""


class Follower:
    """One place where jobs are followed; of each window one job at a time.

    Args:
        service: whose queue it is.
        status: where everything is told.
        start: the button that starts a job.
        stop: the one that ends it.
    """

    def __init__(self, service: Service, status: gr.HTML, start: gr.Button, stop: gr.Button):
        self.service, self.status, self.start, self.stop = service, status, start, stop

    @property
    def parts(self) -> list[gr.HTML | gr.Button]:
        """What `told` and `followed` change."""
        return [self.status, self.start, self.stop]

    def told(self, text: str, share: float | None = None, busy: bool = False) -> Shown:
        """A sentence in the place where everything is told."""
        return {
            self.status: html.status(text, share, busy),
            self.start: gr.Button(interactive=not busy),
            self.stop: gr.Button(visible=busy),
        }

    async def followed(
        self, session: Session, what: Callable[[Job], object], named: str, failed: list[str]
    ) -> AsyncIterator[Shown]:
        """Gives a job to the queue and shows how far it is until it is done.

        Args:
            session: of the window.
            what: is done, see `Job.start`.
            named: what it is, as long as it waits.
            failed: is told what fails.
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
            yield STOPPED
        except LimnerError as error:
            failed.append(without_album(without_folder(str(error), session.folder)))
        except Exception as error:
            failed.append(f"{named}: limner failed ({type(error).__name__}).")

    def cancel(self, session: Session) -> None:
        """Ends the job that is followed here."""
        if job := session.jobs.get(self.status):
            job.cancel()
