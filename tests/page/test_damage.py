"""The section in which damage is marked, without a browser."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image
from tests.damage.flakes import flaked

from limner.page.album import Access
from limner.page.blocks import laid_out
from limner.page.events import Events
from limner.page.restoring import Limits
from limner.page.service import Service
from limner.page.session import OnePhoto, Sessions
from limner.settings import Settings

REQUEST: Any = SimpleNamespace(session_hash="one")


@pytest.fixture
def events():
    service = Service.open(Settings(threads=1, dtype="fp32"), Limits())
    with gr.Blocks():
        page = laid_out(service.limits)
    yield Events(page, Sessions(service), Access())
    service.close()


FLAKES = ((40, 50, 10), (150, 100, 12))


@pytest.fixture
def photos(events) -> list[OnePhoto]:
    """A plain photograph, and one that has flaked, in the window."""
    session, added = events.sessions.of("one"), list[OnePhoto]()
    ground = np.full((160, 200, 3), 90, np.uint8) + np.arange(200, dtype=np.uint8)[None, :, None] // 4
    cracked, _ = flaked(ground, FLAKES)
    for name, pixels in (("plain.png", ground), ("cracked.png", cracked)):
        one = session.taken(saved(events, name, pixels))
        one.size = (200, 160)
        session.photos.append(one)
        added.append(one)
    return added


def saved(events, name: str, pixels: np.ndarray) -> Path:
    file = events.service.new_folder() / name
    Image.fromarray(pixels).save(file)
    return file


def all_of(happening) -> dict:
    """What an event has shown at its end, but that everything may be pressed again."""

    async def gathered() -> dict:
        return {part: shown for one in [one async for one in happening][:-1] for part, shown in one.items()}

    return asyncio.run(gathered())


def stroke(photo: object, **changed: object) -> Any:
    known = {"photo": photo, "points": [[0.2, 0.5], [0.8, 0.5]], "width": 0.05, "rub": False, "at": 1}
    return SimpleNamespace(_data=known | changed)


def test_a_stroke_belongs_to_the_photo_that_it_was_drawn_on(events, photos):
    """Also where another is looked at meanwhile; and it isn't shown anew, which would disturb who draws."""
    section = events.page.damage
    shown = asyncio.run(events.damage.draw(stroke("1"), REQUEST))
    assert photos[1].marks.share > 0.01 and not photos[0].marks.any
    assert section.brush not in shown and "Nothing is marked in plain.png." in shown[section.told]
    events.turn_to(1, False, REQUEST)
    shown = events.damage.undo(REQUEST)
    assert "Nothing is marked in cracked.png." in shown[section.told] and not shown[section.undo].interactive
    asyncio.run(events.damage.draw(stroke("1"), REQUEST))
    shown = events.view(events.sessions.of("one"))
    assert "will be filled when you press Restore" in shown[section.told] and shown[section.undo].interactive
    assert 'data-photo="1"' in shown[section.brush] and "/1/marks?" in shown[section.brush]
    assert events.damage.clear(REQUEST)[section.clear].interactive is False and not photos[1].marks.any


@pytest.mark.parametrize("asked", [stroke("2"), stroke(None), stroke("-1"), SimpleNamespace(_data=None)])
def test_a_stroke_on_no_photo_changes_nothing(events, photos, asked):
    asyncio.run(events.damage.draw(asked, REQUEST))
    assert not any(one.marks.any for one in photos)


def test_what_is_no_stroke_is_told(events, photos):
    shown = asyncio.run(events.damage.draw(stroke("0", width=7), REQUEST))
    assert "too long or too wide: draw it in parts." in shown[events.page.status] and not photos[0].marks.any
    assert not {events.page.restore, events.page.stop} & set(shown), "what a job is stopped by stays as it is"


def test_damage_is_found_in_one_or_all_but_not_over_a_given_mask(events, photos):
    shown = all_of(events.damage.find(0.4, REQUEST))
    assert "No damage was found in plain.png: raise the sensitivity" in shown[events.page.status]
    assert not photos[1].marks.any
    shown = all_of(events.damage.find_all(0.4, REQUEST))
    assert "Marked as damaged: cracked.png (" in shown[events.page.status]
    found = photos[1].marks.mask((200, 160)) > 0
    _, flakes = flaked(np.zeros((160, 200, 3), np.uint8), FLAKES)
    assert (found & flakes).sum() > 0.5 * flakes.sum() and found.mean() < 0.1
    given = np.zeros((160, 200), np.uint8)
    given[:20] = 255
    photos[1].marks.lay(given, photos[1].folder, given=True)
    all_of(events.damage.find_all(0.4, REQUEST))
    np.testing.assert_array_equal(photos[1].marks.mask((200, 160)), given)
    told = all_of(events.damage.find(1.5, REQUEST))[events.page.status]
    assert "The sensitivity is 1.5: give a number above 0 and below 1" in told


def test_a_mask_from_a_file_is_taken_and_what_is_none_refused(events, photos):
    """Nothing stays of the file, and what was marked before stays where it is refused."""
    section, session = events.page.damage, events.sessions.of("one")
    drawn = np.zeros((160, 200), np.uint8)
    drawn[40:60, 50:90] = 255
    shown = all_of(events.damage.take(str(saved(events, "my mask.png", drawn)), REQUEST))
    assert "my mask.png is the mask of plain.png now." in shown[events.page.status] and shown[section.drop] is None
    np.testing.assert_array_equal(photos[0].marks.mask((200, 160)), drawn)
    small, painted = drawn[:50], np.full((160, 200), 128, np.uint8)
    for name, pixels, sentence in (
        ("small.png", small, "The mask small.png is 200 x 50 pixels, but its photo, upright, is 200 x 160: draw it"),
        ("painted.png", painted, "The mask painted.png is no mask, for 100% of it is neither black nor white"),
        ("white.png", drawn * 0 + 255, "All of the photo would be a hole"),
    ):
        told = all_of(events.damage.take(str(saved(events, name, pixels)), REQUEST))[events.page.status]
        assert sentence in told and str(session.folder) not in told
        np.testing.assert_array_equal(photos[0].marks.mask((200, 160)), drawn)
    assert {file.name for file in session.folder.rglob("*.*")} == {"plain.png", "cracked.png", "beneath-1.png"}
    shown = all_of(events.damage.take(str(session.folder / "gone.png"), REQUEST))
    assert "gone.png didn&#x27;t arrive whole: drop it again." in shown[events.page.status]


def test_a_photo_is_restored_for_what_is_marked_in_it_alone(events, photos, monkeypatch):
    """It needs no face; one without either is left out."""
    asked: list[str] = []
    monkeypatch.setattr("limner.page.steps.restore", lambda job, one, settings, restorers: asked.append(one.path.name))
    asyncio.run(events.damage.draw(stroke("1"), REQUEST))
    all_of(events.restore(REQUEST, *(one.value for _, one in events.page.asked)))
    assert asked == ["cracked.png"]
