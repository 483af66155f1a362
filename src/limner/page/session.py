"""What one window of the browser holds: its photographs, what became of them, and the folder in which they lie until
the window is closed."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from limner.errors import LimnerError
from limner.faces.references import FacePerson
from limner.faces.seen import SeenFace
from limner.page.marks import Marks
from limner.page.service import Service, safe_name
from limner.page.work import Job
from limner.restoration import Restoration
from limner.settings import Settings


@dataclass
class Result:
    """What became of a photograph.

    Attributes:
        file: the restored photograph.
        done: its restoration; its photos and map lie in files instead.
        settings: that it was made with.
        picks: of each of its faces the sample that went back.
        notes: what its owner should know, one sentence each.
        holes: the file of the mask that was filled; None where nothing was.
    """

    file: Path
    done: Restoration
    settings: Settings
    picks: list[int]
    notes: list[str]
    holes: Path | None = None


@dataclass
class OnePhoto:
    """A photograph on the page.

    Attributes:
        path: of its file, which bears its own name.
        folder: of its own, for pictures of it.
        size: width and height in pixels.
        faces: that were found, largest first.
        chosen: the numbers of those that are to be restored.
        notes: what its owner should know, one sentence each.
        people: who the faces are, as the album says; empty where it wasn't asked.
        person: whom its owner says that it shows, as the album calls them; None leaves that to the album.
        marks: what is marked in it as damaged.
        result: what became of it.
        version: counts its pictures' changes, so that the browser fetches them anew.
    """

    path: Path
    folder: Path
    size: tuple[int, int] = (1, 1)
    faces: Sequence[SeenFace] = ()
    chosen: set[int] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    people: Sequence[FacePerson] = ()
    person: str | None = None
    marks: Marks = field(default_factory=Marks)
    result: Result | None = None
    version: int = 0

    def picture(self, what: str) -> Path:
        """The file of a picture of it, `before`, `after` or `map`."""
        return self.folder / f"{what}.jpg"


class Session:
    """One window's photographs.

    Args:
        folder: where they lie, whose name nobody can guess; `close` removes it.

    Attributes:
        photos: in the order in which they came.
        references: other photographs of the person.
        at: the place of the photograph that is looked at.
        album: whether references come from the album where there are none of its own.
        pages: how many pages of the album's people are shown.
        unfolded: the numbers of those of whom all faces are shown.
        jobs: what is being done for it, by the place where that is told.
        at_photos: held by what is done to its photographs: two such things at once would mix, see `follower.alone`.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.photos: list[OnePhoto] = []
        self.references: list[Path] = []
        self.at = 0
        self.album = False
        self.pages = 1
        self.unfolded: set[int] = set()
        self.jobs: dict[Hashable, Job] = {}
        self.at_photos = asyncio.Lock()

    @property
    def photo(self) -> OnePhoto | None:
        """That which is looked at; None where there is none."""
        return self.photos[self.at] if self.photos else None

    def taken(self, file: Path) -> OnePhoto:
        """A photograph whose file is moved here from where it was uploaded.

        Raises:
            LimnerError: if it isn't there.
        """
        folder = self.folder / f"{len(list(self.folder.iterdir()))}"
        (folder / "photo").mkdir(parents=True)
        path = folder / "photo" / safe_name(file.name)
        try:
            shutil.move(file, path)
        except OSError as error:
            raise LimnerError(f"{path.name} didn't arrive whole: drop it again.") from error
        with suppress(OSError):
            file.parent.rmdir()
        return OnePhoto(path, folder)

    def close(self) -> None:
        """Cancels what is being done for it and removes all that it holds."""
        for job in list(self.jobs.values()):
            job.cancel()
        shutil.rmtree(self.folder, ignore_errors=True)


class Sessions:
    """All windows' sessions, by gradio's name of each.

    Args:
        service: in whose folder they lie.
        most: of them at once.
    """

    def __init__(self, service: Service, most: int = 100):
        self.service, self.most = service, most
        self._open: dict[str, Session] = {}
        self._lock = threading.Lock()

    def of(self, name: str) -> Session:
        """The session of a window; a new one where it has none.

        Raises:
            LimnerError: if there are too many.
        """
        with self._lock:
            if name not in self._open:
                if len(self._open) >= self.most:
                    raise LimnerError(f"{self.most} windows are open here, which is as many as may: close one.")
                self._open[name] = Session(self.service.new_folder())
            return self._open[name]

    def with_token(self, token: str) -> Session | None:
        """The session in the folder of that name; None where it has ended."""
        return next((one for one in list(self._open.values()) if one.folder.name == token), None)

    def end(self, name: str | None) -> None:
        """Closes a window's session, if it has one."""
        with self._lock:
            session = self._open.pop(name or "", None)
        if session:
            session.close()
            self.service.restorers.forget()
