"""What happens on the page: every event changes the window's session, and shows it anew."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from limner.errors import LimnerError
from limner.extras import needed
from limner.methods import find_method
from limner.page import html, steps, words
from limner.page.album import Access, known_names
from limner.page.blocks import Page
from limner.page.controls import method_of, words_of
from limner.page.damage import DamageEvents
from limner.page.fields import settings_of
from limner.page.follower import STOPPED, Follower, Shown, alone
from limner.page.pictures import address_of
from limner.page.session import OnePhoto, Session, Sessions
from limner.settings import Settings

with needed("gradio", "The page"):
    import gradio as gr


class Events:
    """What happens on one page.

    Args:
        page: its parts.
        sessions: of all windows.
        access: what those who reach the page may have of the album.
    """

    def __init__(self, page: Page, sessions: Sessions, access: Access):
        self.page, self.sessions, self.access = page, sessions, access
        self.service = sessions.service
        self.follower = Follower(self.service, page.status, page.restore, page.stop, page.jobs)
        self.damage = DamageEvents(page.damage, sessions, self.follower)
        self.told, self.followed = self.follower.told, self.follower.followed

    def bind(self) -> None:
        """Says which event of which part calls what."""
        page = self.page
        everything = list(dict.fromkeys([*self.follower.parts, *page.viewed]))
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "queue": True}
        quiet |= {"concurrency_limit": None}
        page.drop.upload(self.add, [page.drop], everything, **quiet)
        page.reference_drop.upload(self.add_references, [page.reference_drop], everything, **quiet)
        page.forget.click(self.forget, None, everything, **quiet)
        latest: dict[str, Any] = {**quiet, "trigger_mode": "always_last"}  # who clicks fast means the last click
        page.photos.input(self.turn_to, [page.photos, page.invented], everything, **latest)
        page.faces.input(self.choose, [page.faces], [page.stage], **latest)
        page.invented.input(self.lay_over, [page.invented], [page.compared], **latest)
        page.versions.select(self.pick, [page.invented], everything, **latest)
        asked = [one for _, one in page.asked]
        page.restore.click(self.restore, asked, everything, **quiet)
        page.stop.click(self.stop, None, None, **quiet)
        page.from_album.wanted.input(self.ask_album, [page.from_album.wanted], everything, **latest)
        page.from_album.person.input(self.say_who, [page.from_album.person], everything, **latest)
        groups = [group for group, _ in page.of_methods.values()]
        page.method.change(
            lambda chosen: [gr.Group(visible=method == chosen) for method in page.of_methods],
            [page.method],
            groups,
            **quiet,
        )
        self.damage.bind()

    @alone
    async def add(self, files: Sequence[str], request: gr.Request) -> AsyncIterator[Shown]:
        """Takes photographs that were dropped, and looks for their faces."""
        session = self.sessions.of(request.session_hash or "")
        failed: list[str] = []
        first = len(session.photos)
        added = self.taken(session, files, self.service.limits.photos - first, failed)
        for number, one in enumerate(added, 1):
            what = f"Photo {number} of {len(added)}, {one.path.name}"
            look = partial(steps.look, one=one, settings=self.service.base, restorers=self.service.restorers)
            async for shown in self.followed(session, look, what, failed):
                yield {**shown, self.page.drop: None}
            if one.picture("before").is_file():
                session.photos.append(one)
                session.at = first
                yield self.view(session)
        async for shown in self.recognised(session, added, failed):
            yield shown
        yield {**self.view(session), **self.told(self.summary(session, failed)), self.page.drop: None}

    async def add_references(self, files: Sequence[str], request: gr.Request) -> Shown:
        """Takes other photographs of the person."""
        session = self.sessions.of(request.session_hash or "")
        failed: list[str] = []
        room = self.service.limits.references - len(session.references)
        session.references += [one.path for one in self.taken(session, files, room, failed)]
        told = self.told(" ".join(failed) or "The photos of the person are here.")
        return {**self.view(session), **told, self.page.reference_drop: None}

    def taken(self, session: Session, files: Sequence[str], room: int, failed: list[str]) -> list[OnePhoto]:
        """The photographs among files that were dropped; what can't be taken is told in `failed`."""
        if len(files) > room:
            failed.append(f"Only {room} of {len(files)} photos were taken: there is no room for more.")
        added = list[OnePhoto]()
        for file in files[: max(room, 0)]:
            try:
                added.append(session.taken(Path(file)))
            except LimnerError as error:
                failed.append(str(error))
        return added

    def forget(self, request: gr.Request) -> Shown:
        """Leaves the references out."""
        session = self.sessions.of(request.session_hash or "")
        session.references.clear()
        return self.view(session)

    @alone
    async def ask_album(self, wanted: bool, request: gr.Request) -> AsyncIterator[Shown]:
        """Takes references from the album, and tells who is in the photographs, or doesn't."""
        session = self.sessions.of(request.session_hash or "")
        session.album, failed = wanted and self.access.usable, list[str]()
        async for shown in self.recognised(session, session.photos, failed):
            yield shown
        told = "Who is in the photo stands below." if session.album else "The album isn't used."
        yield {**self.view(session), **self.told(" ".join(failed) or told)}

    @alone
    async def say_who(self, person: str, request: gr.Request) -> AsyncIterator[Shown]:
        """Says who is in the photograph that is looked at."""
        session = self.sessions.of(request.session_hash or "")
        one, failed = session.photo, list[str]()
        if one is None:
            return
        one.person = person or None
        async for shown in self.recognised(session, [one], failed):
            yield shown
        yield {**self.view(session), **self.told(" ".join(failed) or self.summary(session, failed))}

    async def recognised(self, session: Session, photos: Sequence[OnePhoto], failed: list[str]) -> AsyncIterator[Shown]:
        """Has the album say who is in photographs, where it is wanted; what fails is told in `failed`."""
        for one in [one for one in photos if session.album and one.faces]:
            settings = steps.with_album(self.service.base, one)
            ask = partial(steps.recognise, one=one, settings=settings, restorers=self.service.restorers)
            async for shown in self.followed(session, ask, one.path.name, failed):
                yield shown
            if failed:  # what fails is the album, and would fail for each; or nobody wants it any more
                return

    def turn_to(self, at: int, invented: bool, request: gr.Request) -> Shown:
        """Looks at another photograph."""
        session = self.sessions.of(request.session_hash or "")
        session.at = min(max(int(at), 0), len(session.photos) - 1)
        shown = self.view(session, invented)
        shown.pop(self.page.photos)  # it knows, and may have gone on meanwhile
        return shown

    def choose(self, numbers: Sequence[int], request: gr.Request) -> str:
        """Chooses the faces that are restored."""
        session = self.sessions.of(request.session_hash or "")
        one = session.photo
        if one is None:
            return ""
        one.chosen = {int(number) for number in numbers} & {face.number for face in one.faces}
        return html.stage(address_of(session, one), one)

    def lay_over(self, invented: bool, request: gr.Request) -> str:
        """Shows what was made up, or doesn't."""
        session = self.sessions.of(request.session_hash or "")
        one = session.photo
        return html.compared(address_of(session, one), one, invented) if one and one.result else ""

    def stop(self, request: gr.Request) -> None:
        """Cancels what is being done."""
        self.follower.cancel(self.sessions.of(request.session_hash or ""))

    @alone
    async def restore(self, request: gr.Request, *values: object) -> AsyncIterator[Shown]:
        """Restores the chosen faces of all photographs, and fills what is marked in them."""
        session = self.sessions.of(request.session_hash or "")
        failed: list[str] = []
        photos = [one for one in session.photos if one.chosen or one.marks.share]
        try:
            settings = self.settings_of(values, session)
        except LimnerError as error:
            yield self.told(str(error))
            return
        for number, one in enumerate(photos, 1):
            what = f"Photo {number} of {len(photos)}, {one.path.name}"
            restore = partial(steps.restore, one=one, settings=settings, restorers=self.service.restorers)
            async for shown in self.followed(session, restore, what, failed):
                yield shown
            if STOPPED in failed:
                break
            session.at = session.photos.index(one)
            yield self.view(session)
        if not photos:
            failed.append("No face is chosen: tick at least one.")
        yield {**self.view(session), **self.told(self.summary(session, failed))}

    @alone
    async def pick(self, invented: bool, chosen: gr.SelectData, request: gr.Request) -> AsyncIterator[Shown]:
        """Takes the sample of a face that was clicked on."""
        session = self.sessions.of(request.session_hash or "")
        one = session.photo
        if one is None or one.result is None:
            return
        place, sample = divmod(int(chosen.index), one.result.settings.samples)
        if place >= len(one.result.picks):
            return  # of a result that another has replaced meanwhile
        failed: list[str] = []
        pick = partial(steps.pick, one=one, place=place, sample=sample, restorers=self.service.restorers)
        async for shown in self.followed(session, pick, one.path.name, failed):
            yield shown
        text = f"Version {sample + 1} of face {one.result.done.faces[place].number + 1} is in the photo now."
        yield {**self.view(session, invented), **self.told(" ".join(failed) or text)}

    def settings_of(self, values: Sequence[object], session: Session) -> Settings:
        """The settings that the controls say.

        Raises:
            LimnerError: if one lies outside its range.
        """
        given = words_of([name for name, _ in self.page.asked], values)
        base = self.service.base
        from_album = session.album and not session.references
        method = method_of(given["method"], base.method, bool(session.references) or from_album)
        own = {name.removeprefix(f"{method}."): word for name, word in given.items()}
        asked = {name: word for name, word in own.items() if "." not in name}
        made = settings_of({**asked, "method": method}, base, self.service.limits, usable(method, session))
        return replace(made, album=True) if from_album else made

    def view(self, session: Session, invented: bool = False) -> Shown:
        """The page as the session is."""
        page, one = self.page, session.photo
        if one is None:
            return {page.work: gr.Column(visible=False), page.result: gr.Column(visible=False)}
        address, result = address_of(session, one), one.result
        photos = [(words.of_photo(it, number), number - 1) for number, it in enumerate(session.photos, 1)]
        names = ", ".join(path.name for path in session.references)
        shown: Shown = {
            page.work: gr.Column(visible=True),
            page.photos: gr.Radio(photos, value=session.at, visible=len(photos) > 1),
            page.stage: html.stage(address, one),
            page.faces: gr.CheckboxGroup(
                [(words.of_face(face), face.number) for face in one.faces],
                value=sorted(one.chosen),
                visible=bool(one.faces),
            ),
            page.notes: gr.HTML(html.notes(one.notes), visible=bool(one.notes)),
            page.references: gr.HTML(html.notes([f"Photos of the person: {names}"]), visible=bool(names)),
            page.forget: gr.Button(visible=bool(names)),
            page.result: gr.Column(visible=result is not None),
            **self.view_of_album(session, one),
            **self.damage.view(session),
        }
        if result is None:
            return shown
        restored = sum(it.result is not None for it in session.photos)
        return shown | {
            page.compared: html.compared(address, one, invented),
            page.invented: invented,
            page.versions_title: gr.HTML(visible=result.settings.samples > 1 and bool(result.done.faces)),
            page.versions: versions(one),
            page.downloads: html.notes(result.notes)
            + html.downloads(address, one, restored, f"photos/{session.folder.name}/all.zip"),
        }

    def view_of_album(self, session: Session, one: OnePhoto) -> Shown:
        """What concerns references from the album."""
        parts, used = self.page.from_album, session.album and not session.references
        told = [words.of_person(face) for face in one.people] if used else []
        return {
            parts.wanted: gr.Checkbox(value=session.album, visible=session.album or self.access.usable),
            parts.person: gr.Dropdown(
                [("whoever the album recognises", ""), *((name, name) for name in known_names())],
                value=one.person or "",
                visible=True,
            )
            if used
            else gr.Dropdown(visible=False),
            parts.told: gr.HTML(html.notes(told), visible=bool(told)),
        }

    def summary(self, session: Session, failed: Sequence[str]) -> str:
        """What became of it all."""
        if failed:
            return " ".join(failed)
        restored = [one for one in session.photos if one.result]
        if restored:
            return "Done: look at the result below, then download it."
        return words.of_found(session.photo) if session.photo else "Drop one or more photos to begin."


def usable(method: str, session: Session) -> list[Path]:
    """A session's references, as far as the method can use them."""
    return session.references if find_method(method).references else []


def versions(one: OnePhoto) -> gr.Gallery:
    """The samples of each face; where there is one alone, there is nothing to choose."""
    result = one.result
    if result is None or result.settings.samples < 2 or not result.done.faces:
        return gr.Gallery(visible=False)
    several = result.settings.samples
    pictures = [
        (
            str(steps.version_file(one, place, sample)),
            f"Face {face.number + 1}, version {sample + 1}" + (", chosen ✓" if sample == taken else ""),
        )
        for place, (face, taken) in enumerate(zip(result.done.faces, result.picks, strict=True))
        for sample in range(several)
    ]
    return gr.Gallery(pictures, visible=True, columns=3 if several % 3 == 0 else 4, selected_index=None)
