"""A job as it is followed: how far it is, what fails, and that it can be stopped."""

import asyncio
import threading
from types import SimpleNamespace

import gradio as gr
import pytest

from limner.errors import LimnerError
from limner.page.follower import STOPPED, Follower, alone
from limner.page.service import Service
from limner.page.session import Sessions


@pytest.fixture
def sessions():
    service = Service.open(most=1)
    yield Sessions(service)
    service.close()


@pytest.fixture
def follower(sessions):
    with gr.Blocks():
        return Follower(sessions.service, gr.HTML(), gr.Button(), gr.Button())


def followed(follower: Follower, session, what, failed: list[str], then=lambda shown: None) -> list:
    async def all_of_it() -> list:
        shown = []
        async for one in follower.followed(session, what, "old.jpg", failed):
            shown.append(one)
            then(one)
        return shown

    return asyncio.run(all_of_it())


def test_how_far_it_is_and_what_fails_is_told(follower, sessions):
    session, gate, failed = sessions.of("one"), threading.Event(), []
    half = "half &lt;done&gt;"

    def work(job):
        job.tell("half <done>", 0.5)
        gate.wait(5)
        raise LimnerError(f"{session.folder}/0/photo/old.jpg is broken.")

    shown = followed(
        follower, session, work, failed, lambda one: gate.set() if half in one.get(follower.status, "") else None
    )
    assert half in shown[-1][follower.status] and shown[0][follower.stop].visible
    assert failed == ["old.jpg is broken."] and session.jobs == {}
    followed(follower, session, lambda job: {}["Anna"], failed)
    assert failed[1] == "old.jpg: limner failed (KeyError)."


def test_one_is_stopped_and_a_full_queue_is_told(follower, sessions):
    session, failed = sessions.of("one"), []

    def endless(job):
        while True:
            job.tell("on and on")

    followed(follower, session, endless, failed, lambda shown: follower.cancel(session))
    assert failed == [STOPPED]
    sessions.service.work.place()
    assert followed(follower, session, endless, failed) == []
    assert "1 photos wait already" in failed[1]


class Page:
    """Something whose events work on a window's photographs, and tell when they begin and end."""

    def __init__(self, sessions: Sessions):
        self.sessions, self.told = sessions, list[str]()
        with gr.Blocks():
            self.other = gr.Checkbox()
            self.follower = Follower(sessions.service, gr.HTML(), gr.Button(), gr.Button(), [self.other])

    @alone
    async def event(self, name: str, request):
        self.told.append(f"{name} begins")
        yield self.follower.told(name)
        await asyncio.sleep(0.05)
        self.told.append(f"{name} ends")


def test_what_works_on_the_photos_has_its_turn_and_meanwhile_nothing_else_can_be_pressed(sessions):
    page, shown = Page(sessions), list[dict]()

    async def pressed(name: str, window: str) -> None:
        async for one in page.event(name, SimpleNamespace(session_hash=window)):
            shown.append(one)

    async def at_once() -> None:
        await asyncio.gather(pressed("restore", "one"), pressed("ask the album", "one"))

    asyncio.run(at_once())
    assert page.told == ["restore begins", "restore ends", "ask the album begins", "ask the album ends"]
    assert [one[page.other]["interactive"] for one in shown if page.other in one] == [False, True] * 2
    assert [one[page.follower.start]["interactive"] for one in (shown[0], shown[2])] == [False, True]

    async def in_two_windows() -> None:
        await asyncio.gather(pressed("this", "one"), pressed("that", "two"))

    page.told.clear()
    asyncio.run(in_two_windows())
    assert page.told[:2] == ["this begins", "that begins"], "another window has photographs of its own"


def test_what_waited_until_its_window_was_closed_is_not_done(sessions):
    page, session = Page(sessions), sessions.of("one")

    async def closed_meanwhile() -> None:
        async with session.at_photos:
            waiting = asyncio.ensure_future(anext(page.event("look", SimpleNamespace(session_hash="one")), None))
            await asyncio.sleep(0.01)
            sessions.end("one")
        assert await waiting is None

    asyncio.run(closed_meanwhile())
    assert page.told == []
