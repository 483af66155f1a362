"""A job as it is followed: how far it is, what fails, and that it can be stopped."""

import asyncio
import threading

import gradio as gr
import pytest

from limner.errors import LimnerError
from limner.page.follower import STOPPED, Follower
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

    shown = followed(follower, session, endless, failed, lambda shown: follower.cancel(session))
    assert shown[-1] is STOPPED and failed == []
    sessions.service.work.place()
    assert followed(follower, session, endless, failed) == []
    assert "1 photos wait already" in failed[0]
