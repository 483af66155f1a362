"""What happens on the page, without a browser: what is asked, what is told, what is full."""

import asyncio
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from PIL import Image

from limner.album import references
from limner.album.people import name_person, people
from limner.errors import LimnerError
from limner.faces.placing import AlignedCrop
from limner.faces.seen import seen
from limner.page import steps
from limner.page.album import Access
from limner.page.blocks import laid_out
from limner.page.events import Events
from limner.page.restoring import Limits
from limner.page.service import Service
from limner.page.session import OnePhoto, Sessions
from limner.settings import Settings

from ..album.conftest import Patterns, picture

REQUEST: Any = SimpleNamespace(session_hash="one")


@pytest.fixture
def events():
    service = Service.open(Settings(threads=1), Limits(photos=2), most=1)
    with gr.Blocks():
        page = laid_out(service.limits)
    yield Events(page, Sessions(service), Access())
    service.close()


def values(events: Events, **changed: object) -> list[object]:
    return [changed.get(name.replace(".", "_"), one.value) for name, one in events.page.asked]


def uploaded(events: Events, name: str) -> str:
    file = events.service.new_folder() / name
    file.write_bytes(b"no picture")
    return str(file)


def last_told(events: Events, happening) -> str:
    async def followed() -> str:
        told = ""
        async for shown in happening:
            told = shown.get(events.page.status, told)
        return told

    return asyncio.run(followed())


def test_the_controls_say_the_settings(events):
    session = events.sessions.of("one")
    assert events.settings_of(values(events), session) == Settings(threads=1)
    session.references.append(session.folder / "anna.jpg")
    asked = events.settings_of(values(events, samples=3, refldm_steps="4", difface_steps="9"), session)
    assert (asked.method, asked.samples, asked.options) == ("refldm", 3, {"steps": 4})
    assert list(asked.references) == session.references
    plain = events.settings_of(values(events, method="difface"), session)
    assert plain.method == "difface" and not plain.references, "it can't use them"
    with pytest.raises(LimnerError, match="auto, or 0 to 1 for strength, not 3"):
        events.settings_of(values(events, strength="3"), session)


def test_what_can_t_be_taken_is_told(events):
    files = [uploaded(events, name) for name in ("a.jpg", "b.jpg", "c.jpg")]
    told = last_told(events, events.add(files, REQUEST))
    assert "Only 2 of 3 photos were taken: there is no room for more." in told
    assert "a.jpg is not a picture, whatever its name says: choose a photo." in told and "b.jpg is not" in told
    assert str(events.service.folder) not in told and events.sessions.of("one").photos == []


def test_a_full_queue_is_told(events):
    events.service.work.place()
    told = last_told(events, events.add([uploaded(events, "a.jpg")], REQUEST))
    assert "1 photos wait already, which is as many as may" in told


def test_without_a_chosen_face_nothing_is_restored(events):
    assert "No face is chosen: tick at least one." in last_told(events, events.restore(REQUEST, *values(events)))


def test_references_come_and_go(events):
    shown = asyncio.run(events.add_references([uploaded(events, "anna.jpg")], REQUEST))
    assert "The photos of the person are here." in shown[events.page.status]
    session = events.sessions.of("one")
    assert [path.name for path in session.references] == ["anna.jpg"]
    events.forget(REQUEST)
    assert session.references == []


def test_photos_that_were_dropped_win_over_the_album(events):
    session = events.sessions.of("one")
    session.album = True
    asked = events.settings_of(values(events), session)
    assert (asked.method, asked.album, asked.references) == ("refldm", True, ())
    with pytest.raises(LimnerError, match="^The method 'difface' can't use references: choose refldm or clrface"):
        events.settings_of(values(events, method="difface"), session)
    session.references.append(session.folder / "anna.jpg")
    asked = events.settings_of(values(events), session)
    assert (asked.album, list(asked.references)) == (False, session.references)


def test_the_album_tells_who_is_in_a_photo_and_its_owner_knows_better(events, known, monkeypatch, tmp_path):
    monkeypatch.setattr(references, "Recogniser", Patterns)
    monkeypatch.setattr(steps, "SIDE_SEEN", 64)
    monkeypatch.setattr(steps, "placing_of", lambda settings: AlignedCrop())
    for name, person in zip(("Anna", "Ben"), people(known)[:2], strict=False):
        name_person(known, person.id, name)
    session, parts = events.sessions.of("one"), events.page.from_album
    Image.fromarray(picture(0, 5)).save(tmp_path / "old.png")
    one = OnePhoto(tmp_path / "old.png", tmp_path)
    one.faces = [seen(picture(0, 5), AlignedCrop().find(picture(0, 5))[0], AlignedCrop(), 64)]
    session.photos.append(one)

    def shown(happening) -> dict:
        async def last() -> dict:
            return [one async for one in happening][-2]  # the last says that everything may be pressed again

        return asyncio.run(last())

    view = shown(events.ask_album(True, REQUEST))
    assert "Face 1 is Anna (0.9" in view[parts.told].value and "the references are p0_0.jpg" in view[parts.told].value
    assert view[parts.person].choices == [("whoever the album recognises", ""), ("Anna", "Anna"), ("Ben", "Ben")]
    assert (
        "Face 1 is Ben (as you said); the references are p1_0.jpg"
        in shown(events.say_who("Ben", REQUEST))[parts.told].value
    )
    assert one.person == "Ben" and steps.with_album(Settings(), one).method == "refldm"
    session.references.append(tmp_path / "anna.jpg")
    assert not events.view(session)[parts.told].visible, "they count instead"
    assert shown(events.ask_album(False, REQUEST))[parts.wanted].value is False and not session.album


def test_who_may_not_see_the_album_has_no_references_from_it(events, known):
    events.access = Access(shown=False)
    session = events.sessions.of("one")
    last_told(events, events.ask_album(True, REQUEST))
    assert not session.album
