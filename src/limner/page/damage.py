"""The section of the page in which damage is marked: who looks for it, the brush, a mask from a file; and what happens
there. What is marked is in `marks.py`; it is filled when the photograph is restored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from limner.damage import SENSITIVITY
from limner.errors import LimnerError
from limner.extras import needed
from limner.page import html, steps, words
from limner.page.follower import STOPPED, Follower, Shown, alone
from limner.page.marks import Stroke
from limner.page.pictures import address_of
from limner.page.session import OnePhoto, Session, Sessions
from limner.photo.contents import SUFFIXES

with needed("gradio", "The page"):
    import gradio as gr

SCRIPT = Path(__file__).with_name("damage.js")


@dataclass(frozen=True)
class DamageSection:
    """The parts of the section.

    Attributes:
        sensitivity: with which damage is looked for.
        find, find_all: buttons: in the photograph that is looked at, in all.
        brush: the photograph with what is marked, to draw on.
        told: how much is marked, and the link to the mask.
        undo, clear: buttons.
        drop: where a mask is dropped.
    """

    sensitivity: gr.Slider
    find: gr.Button
    find_all: gr.Button
    brush: gr.HTML
    told: gr.HTML
    undo: gr.Button
    clear: gr.Button
    drop: gr.File

    @property
    def viewed(self) -> list[gr.HTML | gr.Button]:
        """What `DamageEvents.view` renews."""
        return [self.find_all, self.brush, self.told, self.undo, self.clear]

    @property
    def jobs(self) -> list[gr.Button | gr.File]:
        """What begins a job."""
        return [self.find, self.find_all, self.drop]


def damage_laid_out() -> DamageSection:
    """Lays out the section, within gradio's `Blocks`."""
    with gr.Accordion("Is this photo scratched, stained or torn?", open=False, elem_id="damage"):
        gr.HTML(
            "<p>What is marked in red is filled before the faces are restored. Let limner look for damage, then paint "
            "in what it missed and rub out what is none.</p>"
        )
        sensitivity = gr.Slider(
            0.05, 0.95, SENSITIVITY, step=0.05, label="Sensitivity", elem_id="sensitivity",
            info="A higher one finds more, and more that is no damage.",
        )  # fmt: skip
        with gr.Row():
            find = gr.Button("Find the damage", elem_id="find-damage")
            find_all = gr.Button("Find it in all photos", visible=False, elem_id="find-all")
        brush = gr.HTML(elem_id="brush", js_on_load=SCRIPT.read_text(encoding="utf-8"))
        told = gr.HTML(elem_id="marked")
        with gr.Row():
            undo = gr.Button("Take back the last stroke", size="sm", interactive=False)
            clear = gr.Button("Unmark everything", size="sm", interactive=False)
        gr.HTML("<p>Have you drawn a mask already? It is a picture of the photo's size, white where it is damaged.</p>")
        drop = gr.File(
            label="Or drop a mask here", file_types=[*SUFFIXES, "image"], height=130, elem_id="mask",
        )  # fmt: skip
    return DamageSection(sensitivity, find, find_all, brush, told, undo, clear, drop)


class DamageEvents:
    """What happens in the section.

    Args:
        section: its parts.
        sessions: of all windows.
        follower: where jobs are followed.
    """

    def __init__(self, section: DamageSection, sessions: Sessions, follower: Follower):
        self.section, self.sessions, self.follower = section, sessions, follower
        self.service = sessions.service

    def bind(self) -> None:
        """Says which event of which part calls what."""
        section = self.section
        everything = list(dict.fromkeys([*self.follower.parts, *section.viewed]))
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None}
        section.find.click(self.find, [section.sensitivity], everything, **quiet)
        section.find_all.click(self.find_all, [section.sensitivity], everything, **quiet)
        section.drop.upload(self.take, [section.drop], everything, **quiet)
        every: dict[str, Any] = {**quiet, "trigger_mode": "multiple"}  # no stroke is lost, however fast they come
        section.brush.submit(self.draw, None, everything, **every)
        section.undo.click(self.undo, None, everything, **every)
        section.clear.click(self.clear, None, everything, **quiet)

    @alone
    async def find(self, sensitivity: float, request: gr.Request) -> AsyncIterator[Shown]:
        """Has damage looked for in the photograph that is looked at."""
        session = self.sessions.of(request.session_hash or "")
        async for shown in self.found(session, [one for one in [session.photo] if one], sensitivity):
            yield shown

    @alone
    async def find_all(self, sensitivity: float, request: gr.Request) -> AsyncIterator[Shown]:
        """Has damage looked for in all photographs, but those whose mask their owner gave."""
        session = self.sessions.of(request.session_hash or "")
        async for shown in self.found(session, [one for one in session.photos if not one.marks.given], sensitivity):
            yield shown

    async def found(self, session: Session, photos: Sequence[OnePhoto], sensitivity: float) -> AsyncIterator[Shown]:
        """Has damage looked for in photographs, and tells of all."""
        failed, looked_at = list[str](), list[OnePhoto]()
        for number, one in enumerate(photos, 1):
            what = f"Photo {number} of {len(photos)}, {one.path.name}"
            find = partial(
                steps.find_damage,
                one=one,
                sensitivity=sensitivity,
                settings=self.service.base,
                restorers=self.service.restorers,
            )
            before = one.marks.version
            async for shown in self.follower.followed(session, find, what, failed):
                yield shown
            if STOPPED in failed:
                break
            if one.marks.version != before:
                looked_at.append(one)
        told = [words.of_damage(looked_at)] if looked_at else []
        yield {**self.view(session), **self.follower.told(" ".join([*failed, *told]))}

    @alone
    async def take(self, file: str, request: gr.Request) -> AsyncIterator[Shown]:
        """Takes a mask that was dropped for the photograph that is looked at."""
        session, failed = self.sessions.of(request.session_hash or ""), list[str]()
        one = session.photo
        if one is None:
            return
        try:
            mask = session.taken(Path(file))
        except LimnerError as error:
            yield {**self.follower.told(str(error)), self.section.drop: None}
            return
        take = partial(steps.take_mask, one=one, file=mask.path, restorers=self.service.restorers)
        async for shown in self.follower.followed(session, take, mask.path.name, failed):
            yield shown
        mask.path.unlink(missing_ok=True)
        told = " ".join(failed) or f"{mask.path.name} is the mask of {one.path.name} now."
        yield {**self.view(session), **self.follower.told(told), self.section.drop: None}

    async def draw(self, asked: gr.EventData, request: gr.Request) -> Shown:
        """Takes a stroke of the brush. The photograph isn't shown anew: the browser has drawn it already."""
        session, stroke = self.sessions.of(request.session_hash or ""), dict(asked._data or {})
        number = str(stroke.get("photo"))
        if not number.isdecimal() or int(number) >= len(session.photos):
            return self.view(session)
        one = session.photos[int(number)]
        try:
            one.marks.add(Stroke.of(stroke))
        except LimnerError as error:
            return {**self.view(session), self.follower.status: html.status(str(error))}
        await asyncio.to_thread(one.marks.measure, one.size)
        return {part: shown for part, shown in self.view(session).items() if part is not self.section.brush}

    def undo(self, request: gr.Request) -> Shown:
        """Takes the last stroke back."""
        session = self.sessions.of(request.session_hash or "")
        if one := session.photo:
            one.marks.take_back()
            one.marks.measure(one.size)
        return self.view(session)

    def clear(self, request: gr.Request) -> Shown:
        """Forgets all that is marked in the photograph that is looked at."""
        session = self.sessions.of(request.session_hash or "")
        if one := session.photo:
            one.marks.clear()
        return self.view(session)

    def view(self, session: Session) -> Shown:
        """The section as the session is."""
        section, one = self.section, session.photo
        if one is None:
            return {section.brush: "", section.told: ""}
        address = address_of(session, one)
        return {
            section.find_all: gr.Button(visible=len(session.photos) > 1),
            section.brush: html.brush(address, session.at, one, steps.SIDE),
            section.told: html.marked(address, one, words.of_marks(one)),
            section.undo: gr.Button(interactive=bool(one.marks.strokes)),
            section.clear: gr.Button(interactive=one.marks.any),
        }
