"""The way for other programs: /restore, /detect and /health, and a page that describes them.

A request takes its place in the queue before its photograph is read, and gives it back when it is answered, refused or
its client goes away. Errors are JSON, {"error": "a sentence"}.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from zipfile import ZIP_STORED, ZipFile

from limner.errors import LimnerError, PhotoError
from limner.extras import needed
from limner.page import restoring
from limner.page.describe import described
from limner.page.fields import schema, settings_of
from limner.page.restoring import TooLarge, look_at, save, without_folder
from limner.page.service import Service, safe_name
from limner.page.work import Full, Job
from limner.version import __version__

with needed("fastapi", "limner over HTTP"):
    from fastapi import FastAPI, Request, Response
    from fastapi.responses import FileResponse, HTMLResponse, JSONResponse

with needed("starlette", "limner over HTTP"):
    from starlette.datastructures import UploadFile
    from starlette.exceptions import HTTPException

T = TypeVar("T")

MOST_FIELDS = 64
SECONDS_TO_SEND = 120
NOTHING = Response(status_code=499)
"""For a client that has gone: nobody reads it."""


class Gone(Exception):
    """The client has gone away."""


class Unexpected(LimnerError):
    """An error of limner's own."""


@dataclass
class Asked:
    """What a request brought: its photograph, the mask of its holes, the references and the other fields."""

    photo: Path | None = None
    holes: Path | None = None
    references: list[Path] = field(default_factory=list)
    words: dict[str, str] = field(default_factory=dict)


class Sent(FileResponse):
    """A file whose folder is removed when it is sent, or can't be.

    Args:
        folder: to be removed; the other arguments are FileResponse's.
    """

    def __init__(self, folder: Path, *args: Any, **how: Any):
        super().__init__(*args, **how)
        self.folder = folder

    async def __call__(self, scope, receive, send) -> None:
        """Sends it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


def add_routes(app: FastAPI, service: Service) -> None:
    """Adds the routes and the answers to errors.

    Args:
        app: to which.
        service: that does what is asked.
    """
    app.add_exception_handler(LimnerError, _sentence)
    app.add_exception_handler(HTTPException, _sentence)
    app.add_exception_handler(Gone, lambda request, error: NOTHING)
    answers: dict[int | str, dict[str, Any]] = {
        code: {"description": what, "content": ERROR} for code, what in REFUSALS.items()
    }

    @app.get("/health", summary="Whether limner runs, and how many photos wait")
    def health() -> dict[str, object]:
        return {"status": "ok", "version": __version__, "waiting": len(service.work), "most": service.work.most}

    @app.post(
        "/detect",
        summary="The faces of a photo",
        responses=answers,
        response_class=JSONResponse,
        openapi_extra=_body("photo"),
    )
    async def detect(request: Request) -> Response:
        return await _with_place(request, service, _detect)

    @app.post(
        "/restore",
        summary="A photo with its faces restored",
        responses={200: {"description": RESULT, "content": {"image/*": {}, "application/zip": {}}}, **answers},
        response_class=FileResponse,
        openapi_extra=_body("photo", "holes", "reference", **schema()),
    )
    async def restore(request: Request) -> Response:
        return await _with_place(request, service, _restore)

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(described(app.openapi()))


ERROR = {"application/json": {"example": {"error": "one sentence"}}}
REFUSALS = {
    400: "Something can't be as it was asked.",
    413: "The photo is too large.",
    422: "The photo can't be read.",
    503: "The queue is full: come again later.",
}
RESULT = (
    "The restored photo, in the format of the one that was sent and with its metadata; of several samples a zip. The "
    "header limner-report is JSON: how many faces were restored, the notes, the seconds."
)


def _body(*files: str, **fields: dict) -> dict:
    binary = {"type": "string", "format": "binary"}
    said = {
        "photo": {**binary, "description": "The photo's file."},
        "holes": {**binary, "description": "A picture of the photo's size, white where the photo has a hole to fill."},
        "reference": {"type": "array", "items": binary, "description": "Other photos of the person."},
    }
    form = {"type": "object", "required": ["photo"], "properties": {**{one: said[one] for one in files}, **fields}}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": form}}}}


async def _with_place(request: Request, service: Service, answer: Callable) -> Response:
    """Answers a request that has its place in the queue and its folder."""
    with service.work.place() as job:
        folder = service.new_folder()
        try:
            asked = await _received(request, service, folder)
            response = await answer(request, service, job, asked, folder)
        except LimnerError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise type(error)(without_folder(str(error), folder)) from None
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    if not isinstance(response, Sent):
        shutil.rmtree(folder, ignore_errors=True)
    return response


async def _detect(request: Request, service: Service, job: Job, asked: Asked, folder: Path) -> Response:
    settings = settings_of({}, service.base, service.limits)
    path = asked.photo
    assert path
    work = partial(_faces_of, path=path, settings=settings, limits=service.limits)
    return JSONResponse(await _done(request, job.start(work)))


def _faces_of(job: Job, path: Path, settings, limits) -> dict[str, object]:
    photo, chosen = look_at(job, path, settings, limits)
    height, width = photo.pixels.shape[:2]
    faces = [face.as_json() for face in chosen.all]
    notes = [without_folder(note, path.parent) for note in chosen.notes]
    return {"photo": path.name, "width": width, "height": height, "faces": faces, "notes": notes}


async def _restore(request: Request, service: Service, job: Job, asked: Asked, folder: Path) -> Response:
    settings = settings_of(asked.words, service.base, service.limits, asked.references)
    path = asked.photo
    assert path
    how = {"settings": settings, "service": service, "folder": folder / "result", "holes": asked.holes}
    work = partial(_restored, path=path, **how)
    file, report = await _done(request, job.start(work))
    return Sent(folder, file, filename=file.name, headers={"limner-report": json.dumps(report)})


def _restored(
    job: Job, path: Path, settings, service: Service, folder: Path, holes: Path | None = None
) -> tuple[Path, dict[str, object]]:
    _, done = restoring.restore(job, path, settings, service.restorers, holes=holes)
    notes, files = list(done.notes), list[Path]()
    folder.mkdir()
    for number, photo in enumerate(done.photos, 1):
        place = folder if len(done.photos) == 1 else folder / str(number)
        file, lost = save(photo, done.provenance, path, place)
        files.append(file)
        notes += [note for note in lost if note not in notes]
    notes = [without_folder(note, folder.parent) for note in notes]
    report = {"faces": len(done.faces), "notes": notes, "seconds": round(done.seconds, 2)}
    return (files[0] if len(files) == 1 else zipped(files, folder / "samples.zip")), report


def zipped(files: list[Path], target: Path) -> Path:
    """Files of the same name from folders that are numbered, as `name_1`, `name_2`, in a zip: the target."""
    with ZipFile(target, "w", ZIP_STORED) as zip:  # photographs are compressed already
        for number, file in enumerate(files, 1):
            zip.write(file, f"{file.stem}_{number}{file.suffix}")
    return target


async def _received(request: Request, service: Service, folder: Path) -> Asked:
    """Reads the form of a request, no more of it than is allowed, and lays its files down.

    Raises:
        TooLarge: it is too large.
        LimnerError: it is no form, has no photograph, or is too slow.
    """
    most = int(service.limits.megabytes * 1e6)
    too_large = TooLarge(f"More than {service.limits.megabytes:g} MB are not taken at once: send smaller files.")
    if int(request.headers.get("content-length") or 0) > most:
        raise too_large
    taken = 0

    async def counted():
        nonlocal taken
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise Gone
        taken += len(message.get("body", b""))
        if taken > most:
            raise too_large
        return message

    asked = Asked()
    try:
        async with (
            asyncio.timeout(SECONDS_TO_SEND),
            Request(request.scope, counted).form(
                max_files=2 + service.limits.references, max_fields=MOST_FIELDS
            ) as form,
        ):
            for name, value in form.multi_items():
                if not isinstance(value, UploadFile):
                    asked.words[name] = value
                elif name in ("photo", "holes", "reference"):
                    path = await asyncio.to_thread(_laid_down, value, folder / f"{len(asked.references)}{name}")
                    if name == "reference":
                        asked.references.append(path)
                    else:
                        setattr(asked, name, path)
                else:
                    raise LimnerError(
                        f"There is no file '{name}': send photo, for a person reference, and a mask as holes."
                    )
    except TimeoutError as error:
        raise LimnerError(f"The photo took longer than {SECONDS_TO_SEND} seconds to arrive: send it again.") from error
    except HTTPException as error:
        raise LimnerError(f"The form can't be read ({error.detail}): send multipart/form-data.") from error
    if asked.photo is None:
        raise LimnerError("There is no photo in the request: send its file as the field 'photo' of a form.")
    return asked


def _laid_down(sent: UploadFile, folder: Path) -> Path:
    folder.mkdir()
    path = folder / safe_name(sent.filename or "")
    with path.open("wb") as file:
        shutil.copyfileobj(sent.file, file)
    return path


async def _done(request: Request, job: Job[T]) -> T:
    """The result of a job, unless the client goes away before.

    Raises:
        Gone: it went; the job is cancelled.
        Unexpected: limner failed.
        LimnerError: what the job raised.
    """

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    leaving, done = asyncio.ensure_future(gone()), asyncio.wrap_future(job.future)
    try:
        await asyncio.wait({leaving, done}, return_when=asyncio.FIRST_COMPLETED)
        if not done.done():
            raise Gone
        return done.result()
    except LimnerError:
        raise
    except (Gone, CancelledError, asyncio.CancelledError):
        job.cancel()
        raise Gone from None
    except Exception as error:
        raise Unexpected(
            f"limner failed at this photo ({type(error).__name__}): try another, and report it if you can."
        ) from None
    finally:
        leaving.cancel()


def _sentence(request: Request, error: Exception) -> JSONResponse:
    """An error in JSON."""
    if isinstance(error, HTTPException):
        return JSONResponse({"error": f"{error.detail}."}, error.status_code)
    kinds = ((Full, 503), (TooLarge, 413), (Unexpected, 500), (PhotoError, 422))
    status = next((code for kind, code in kinds if isinstance(error, kind)), 400)
    return JSONResponse({"error": str(error)}, status, {"retry-after": "60"} if status == 503 else None)
