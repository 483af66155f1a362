"""The tab of people, without a browser: who is shown to whom, what is asked and told, a folder that is taken in."""

import asyncio
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

import limner.folder.index as index
from limner.album.people import people
from limner.page.album import Access
from limner.page.people import PeopleEvents, people_laid_out
from limner.page.service import Service
from limner.page.session import Sessions
from limner.settings import Settings

from ..album.conftest import Patterns

REQUEST: Any = SimpleNamespace(session_hash="one")


def events_of(access: Access, monkeypatch) -> PeopleEvents:
    monkeypatch.setattr(index, "Recogniser", Patterns)
    with gr.Blocks(), gr.Tabs():
        tab = people_laid_out(access)
    return PeopleEvents(tab, Sessions(Service.open(Settings(threads=1, aligned=True), most=1)), access)


@pytest.fixture
def events(monkeypatch):
    made = events_of(Access(), monkeypatch)
    yield made
    made.sessions.service.close()


def asked(**wish: object) -> Any:
    return SimpleNamespace(_data=wish)


def told(events: PeopleEvents, shown) -> str:
    return shown[events.tab.status]


def all_told(events: PeopleEvents, happening, then=lambda: None) -> list[str]:
    async def followed() -> list[str]:
        told = []
        async for shown in happening:
            told.append(shown[events.tab.status])
            then()
        return told

    return asyncio.run(followed())


def test_without_an_album_it_is_told_how_one_is_made(events):
    shown = events.show(False, REQUEST)[events.tab.people]
    assert "`limner album index FOLDER` makes one, or a folder named above." in shown


def test_people_are_shown_named_and_shown_again(events, known):
    shown = events.show(False, REQUEST)
    assert "3 people are here." in told(events, shown) and shown[events.tab.people].count("<form ") == 3
    token = events.sessions.of("one").folder.name
    assert f'src="people/{token}/' in shown[events.tab.people]
    number = people(known)[1].id
    shown = events.change(False, asked(what="name", person=str(number), name="Anna"), REQUEST)
    assert "Saved: Anna, 2 faces on 2 photos." in told(events, shown) and "Anna" in shown[events.tab.people]
    shown = events.change(False, asked(what="name", person=str(number), name="7"), REQUEST)
    assert "is no name for a person" in told(events, shown) and events.tab.people not in shown


def test_more_people_and_all_faces_come_on_request(events, known, monkeypatch):
    monkeypatch.setattr("limner.page.people.MANY_PEOPLE", 2)
    monkeypatch.setattr("limner.page.album.MANY_FACES", 1)
    shown = events.show(False, REQUEST)[events.tab.people]
    assert shown.count("<form ") == 2 and shown.count("Show all 2 faces") == 2
    shown = events.show_more(False, REQUEST)[events.tab.people]
    assert shown.count("<form ") == 3
    first = str(people(known)[0].id)
    shown = events.change(False, asked(what="unfold", person=first), REQUEST)[events.tab.people]
    assert shown.count("Show all 2 faces") == 2 and shown.count("<img ") == 4
    shown = events.change(False, asked(what="unfold", person="everybody"), REQUEST)
    assert "There is no person with the number" in told(events, shown)


def test_a_folder_is_taken_in(events, shoe_box):
    said = all_told(events, events.index(f" {shoe_box} ", False, REQUEST))
    assert "Photographs: 6 new. 6 faces were found" in said[-1]
    (shoe_box / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing more")
    said = all_told(events, events.index(str(shoe_box), False, REQUEST))
    assert "1 new, 6 as before." in said[-1] and "broken.jpg is a damaged or truncated JPEG" in said[-1]


def test_a_look_at_a_folder_can_be_stopped(events, shoe_box):
    said = all_told(events, events.index(str(shoe_box), False, REQUEST), lambda: events.stop(REQUEST))
    assert "Stopped: the next time it goes on here." in said[-1]


@pytest.mark.parametrize(
    ("folder", "sentence"), [(" ", "Name a folder of photos first."), ("/nowhere", "There is no file or folder")]
)
def test_a_folder_that_can_t_be_is_told(events, folder, sentence):
    assert sentence in all_told(events, events.index(folder, False, REQUEST))[-1]


def test_others_have_no_folder_read_and_without_a_password_see_nobody(monkeypatch, known):
    for access, shown in ((Access(folders=False), True), (Access(shown=False, folders=False), False)):
        events = events_of(access, monkeypatch)
        with gr.Blocks() as blocks, gr.Tabs():
            people_laid_out(access)
            rows = [one for one in blocks.blocks.values() if getattr(one, "elem_id", None) == "indexing"]
            assert [row.visible for row in rows] == [False]
        with gr.Blocks() as blocks:
            with gr.Tabs():
                tab = people_laid_out(access)
            PeopleEvents(tab, events.sessions, access).bind()
            called = {one.fn.__name__ for one in blocks.fns.values() if one.fn}
        assert tab.tab.visible is shown
        assert called == ({"show", "show_more", "change"} if shown else set())
        events.sessions.service.close()
