"""The addresses of a session's pictures and results, and of the album's faces. None bears the name of a photograph, so
that no log does."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

from limner.errors import LimnerError
from limner.extras import needed
from limner.page.album import Access
from limner.page.face_pictures import FacePictures
from limner.page.marks import as_png, in_red
from limner.page.session import OnePhoto, Session, Sessions
from limner.page.steps import SIDE
from limner.photo.contents import with_tail

with needed("fastapi", "limner over HTTP"):
    from fastapi import FastAPI
    from fastapi.responses import FileResponse, Response

SHOWN = ("before", "after", "map")


def address_of(session: Session, one: OnePhoto) -> str:
    """Where the pictures of a photograph are, without the last part, relative to the page."""
    return f"photos/{session.folder.name}/{session.photos.index(one)}"


def address_of_faces(session: Session) -> str:
    """Where the pictures of the album's faces are for a window, without the number, relative to the page."""
    return f"people/{session.folder.name}"


def add_pictures(app: FastAPI, sessions: Sessions, access: Access) -> None:
    """Adds the addresses.

    Args:
        app: to which.
        sessions: whose pictures they are.
        access: what those who reach the page may have of the album.
    """
    faces = FacePictures()

    @app.get("/photos/{token}/{number}/{what}", include_in_schema=False)
    def picture(token: str, number: int, what: str) -> Response:
        session = _session(sessions, token)
        one = session.photos[number] if 0 <= number < len(session.photos) else None
        if one and one.result and what == "result":
            return FileResponse(one.result.file, filename=one.result.file.name)
        if one and one.marks.any and what in ("mask", "marks"):
            mask = one.marks.mask(one.size)
            return Response(as_png(mask if what == "mask" else in_red(mask, SIDE)), media_type="image/png")
        if one is None or what not in SHOWN or not one.picture(what).is_file():
            raise LimnerError("There is no such picture.")
        return FileResponse(one.picture(what))

    @app.get("/photos/{token}/all.zip", include_in_schema=False)
    def all_of_them(token: str) -> FileResponse:
        session = _session(sessions, token)
        return FileResponse(zipped(session), filename="restored.zip")

    @app.get("/people/{token}/{number}", include_in_schema=False)
    def face(token: str, number: int) -> Response:
        _session(sessions, token)
        if not access.shown:
            raise LimnerError("The album isn't shown here.")
        return Response(faces.of(number), media_type="image/jpeg")


def _session(sessions: Sessions, token: str) -> Session:
    session = sessions.with_token(token)
    if session is None:
        raise LimnerError("These photos are here no longer: drop them again.")
    return session


def zipped(session: Session) -> Path:
    """All results of a session in a zip; of two with the same name the second is numbered."""
    target = session.folder / "restored.zip"
    names: set[str] = set()
    with ZipFile(target, "w", ZIP_STORED) as archive:  # photographs are compressed already
        for number, one in enumerate(session.photos, 1):
            if one.result:
                file = one.result.file
                name = file.name if file.name not in names else with_tail(Path(file.name), f"_{number}").name
                names.add(name)
                archive.write(file, name)
    return target
