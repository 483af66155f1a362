"""The tab with the people of the album: who stands there, and what happens when they are named, merged, split or
forgotten, or folders are taken into the album."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

from limner.errors import LimnerError
from limner.extras import needed
from limner.folder.index import index_folders
from limner.page import html, people_html
from limner.page.album import Access, changed, gathered, without_album
from limner.page.follower import STOPPED, Follower, Shown
from limner.page.pictures import address_of_faces
from limner.page.session import Session, Sessions
from limner.page.work import Job
from limner.settings import Settings

with needed("gradio", "The page"):
    import gradio as gr

SCRIPT = Path(__file__).with_name("people.js")
MANY_PEOPLE = 30
"""So many people are shown at first, and so many more by each click."""
MANY_SENTENCES = 5
"""So many photographs that couldn't be read are named, the others counted."""

NO_ALBUM = "There is no album yet: `limner album index FOLDER` makes one"
OTHERS = (
    "This page is open to others, so it reads no folders: whoever owns the machine that it runs on adds photos with "
    "`limner album index FOLDER`."
)


@dataclass(frozen=True)
class PeopleTab:
    """The parts of the tab.

    Attributes:
        tab: itself.
        status: what is being done.
        folder: of photographs, to be taken into the album; not shown where nobody may.
        index, stop: buttons.
        once: whether those are shown, too, who are on one photograph only.
        people: their forms.
        more: shows more of them.
    """

    tab: gr.Tab
    status: gr.HTML
    folder: gr.Textbox
    index: gr.Button
    stop: gr.Button
    once: gr.Checkbox
    people: gr.HTML
    more: gr.Button


def people_laid_out(access: Access) -> PeopleTab:
    """Lays out the tab, within gradio's `Tabs`.

    Args:
        access: what those who reach the page may have of the album.
    """
    with gr.Tab("People", visible=access.shown) as tab:
        gr.HTML(
            "<p>Who is in your photos: give people names, and limner takes the references of each face from the photos "
            "of its own person. The album is one file on this computer.</p>"
        )
        status = gr.HTML(html.status("Looking who is in the album."), elem_id="people-status")
        gr.HTML(f"<p>{OTHERS}</p>", visible=not access.folders)
        with gr.Row(visible=access.folders, elem_id="indexing"):
            folder = gr.Textbox(
                label="Folder of photos", info="Its faces are looked for once; later only what is new.", scale=4,
                placeholder="~/Photos", max_lines=1, elem_id="folder",
            )  # fmt: skip
            index = gr.Button("Add to the album", scale=1, min_width=180, elem_id="index")
            stop = gr.Button("Stop looking", scale=1, min_width=180, visible=False, elem_id="stop-index")
        once = gr.Checkbox(False, label="Also who is on one photo only", elem_id="once")
        people = gr.HTML(elem_id="people", js_on_load=SCRIPT.read_text(encoding="utf-8"))
        more = gr.Button("Show more people", visible=False, size="sm")
    return PeopleTab(tab, status, folder, index, stop, once, people, more)


class PeopleEvents:
    """What happens on the tab.

    Args:
        tab: its parts.
        sessions: of all windows.
        access: what those who reach the page may have of the album.
    """

    def __init__(self, tab: PeopleTab, sessions: Sessions, access: Access):
        self.tab, self.sessions, self.access = tab, sessions, access
        self.follower = Follower(sessions.service, tab.status, tab.index, tab.stop)

    def bind(self) -> None:
        """Says which event of which part calls what; none where the album isn't shown."""
        tab = self.tab
        if not self.access.shown:
            return
        everything = [*self.follower.parts, tab.once, tab.people, tab.more]
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None}
        tab.tab.select(self.show, [tab.once], everything, **quiet)
        tab.once.input(self.show, [tab.once], everything, trigger_mode="always_last", **quiet)
        tab.more.click(self.show_more, [tab.once], everything, **quiet)
        tab.people.submit(self.change, [tab.once], everything, **quiet)
        if self.access.folders:
            tab.index.click(self.index, [tab.folder, tab.once], everything, **quiet)
            tab.folder.submit(self.index, [tab.folder, tab.once], everything, **quiet)
            tab.stop.click(self.stop, None, None, **quiet)

    def show(self, once: bool, request: gr.Request) -> Shown:
        """Shows the people as the album has them now."""
        return self.view(self.sessions.of(request.session_hash or ""), once)

    def show_more(self, once: bool, request: gr.Request) -> Shown:
        """Shows more of them."""
        session = self.sessions.of(request.session_hash or "")
        session.pages += 1
        return self.view(session, once)

    def change(self, once: bool, asked: gr.EventData, request: gr.Request) -> Shown:
        """Does what is asked of one person."""
        session, wish = self.sessions.of(request.session_hash or ""), dict(asked._data or {})
        try:
            if wish.get("what") == "unfold":
                session.unfolded.add(number_of(str(wish.get("person"))))
                return self.view(session, once)
            told = changed(wish)
        except LimnerError as error:
            return self.follower.told(without_album(str(error)))
        return {**self.view(session, once), **self.follower.told(told)}

    async def index(self, folder: str, once: bool, request: gr.Request) -> AsyncIterator[Shown]:
        """Takes a folder into the album."""
        session, failed, told = self.sessions.of(request.session_hash or ""), list[str](), list[str]()
        if not folder.strip():
            yield self.follower.told("Name a folder of photos first.")
            return
        if self.tab.status in session.jobs:
            return  # Enter was pressed twice
        index = partial(index_folder, folder=Path(folder.strip()).expanduser(), settings=self.sessions.service.base)
        async for shown in self.follower.followed(session, partial(index, told=told), "The folder", failed):
            yield shown
        if STOPPED in failed:
            failed = ["Stopped: the next time it goes on here."]
        yield {**self.view(session, once), **self.follower.told(" ".join([*told, *failed]))}

    def stop(self, request: gr.Request) -> None:
        """Cancels the look at a folder."""
        self.follower.cancel(self.sessions.of(request.session_hash or ""))

    def view(self, session: Session, once: bool) -> Shown:
        """The tab as the album and the session are."""
        tab = self.tab
        try:
            found = gathered(once, MANY_PEOPLE * session.pages, frozenset(session.unfolded))
        except LimnerError as error:
            none = f"{NO_ALBUM}{', or a folder named above' if self.access.folders else ''}."
            return {
                **self.follower.told("There are no people to show."),
                tab.people: f"<p>{escape(without_album(str(error)) if self.access.usable else none)}</p>",
                tab.more: gr.Button(visible=False),
                tab.once: gr.Checkbox(visible=False),
            }
        return {
            **self.follower.told(f"{len(found.known)} {'person is' if len(found.known) == 1 else 'people are'} here."),
            tab.people: people_html.gathering(found, address_of_faces(session)),
            tab.once: gr.Checkbox(visible=True),
            tab.more: gr.Button(f"Show more people ({found.more})", visible=found.more > 0),
        }


def number_of(word: str) -> int:
    """A person's number.

    Raises:
        LimnerError: it is none.
    """
    if not word.isdecimal():
        raise LimnerError(f"There is no person with the number '{word}'.")
    return int(word)


def index_folder(job: Job, folder: Path, settings: Settings, told: list[str]) -> None:
    """Takes a folder into the album as `limner album index` does.

    Args:
        job: is told of every photograph.
        folder: of them.
        settings: where nets run.
        told: is told what became of it.

    Raises:
        LimnerError: it doesn't exist or holds no photograph, or the album can't be written.
    """

    def progress(text: str, done: int, total: int | None) -> None:
        job.tell(text if total is None else f"Photo {done + 1} of {total}: {text}", done / total if total else None)

    job.tell("Getting ready to look for faces")
    indexed = index_folders([folder], settings, progress=progress)
    troubles = [*indexed.passed_over, *indexed.done.failed]
    told += [str(indexed.done), *troubles[:MANY_SENTENCES]]
    told += [f"And {len(troubles) - MANY_SENTENCES} more."] if len(troubles) > MANY_SENTENCES else []
