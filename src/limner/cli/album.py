"""`limner album`: who is in one's photographs, on this machine alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limner.cli import output as ui
from limner.cli.engine import Engine, looks
from limner.cli.loading import uncollected
from limner.cli.options import Given, Json, Megapixels, takes
from limner.errors import LimnerError

if TYPE_CHECKING:
    from limner.album.people import Person

album_app = typer.Typer(
    help="The album: who is in your photographs, as references for `limner restore --album`. It never leaves this "
    "machine.",
    no_args_is_help=True,
)
Who = Annotated[str, typer.Argument(help="A name, or a number of `limner album people`.")]


@takes("aligned", "detector", "yunet", "device", "dtype", "threads")
def index(
    given: Given,
    sources: Annotated[list[Path], typer.Argument(help="Folders of photos, or photos.")],
    max_megapixels: Megapixels = 100.0,
    engine: Engine = None,
    json: Json = False,
) -> None:
    """Find the faces of photographs and group them by person; again, only what is new or changed is looked at."""
    with ui.progress("loading PyTorch", show=not json) as bar:
        with uncollected():
            from limner.folder.index import index_folders

        settings = given.settings()
        indexed = index_folders(sources, settings, max_megapixels, bar, looks(engine, settings, max_megapixels))
    done, passed_over = indexed.done, indexed.passed_over
    if json:
        ui.emit({**vars(done), "passed_over": passed_over, "album": str(indexed.album)})
        return
    for sentence in (*passed_over, *done.failed):
        ui.say(f"  Note: {sentence}")
    print(done)


def people(
    called: Annotated[str | None, typer.Argument(help="A name or number, to see this person's faces.")] = None,
    save: Annotated[Path | None, typer.Option(help="Picture of the faces, with their numbers (PNG).")] = None,
    every: Annotated[bool, typer.Option("--all", help="Also who has no name and is on one photo only.")] = False,
    json: Json = False,
) -> None:
    """Who is in the album; of one person, the faces."""
    from limner.album.people import find_person
    from limner.album.people import people as everybody
    from limner.album.store import Album

    with Album() as album:
        if called is None:
            known = everybody(album, once=every)
            faces = [album.faces("person = ?", one.id)[0] for one in known if one.faces] if save else []
        else:
            known = [find_person(album, called)]
            faces = album.faces("person = ?", known[0].id)
        places = {one.id: album.photo(one.photo).path for one in faces}
        if save:
            from limner.album.sheet import save_sheet

            save_sheet(save, album, faces, [one.id if called else one.person or 0 for one in faces])
    if json:
        listed = [{"face": face.id, "photo": str(places[face.id])} for face in faces] if called else None
        ui.emit({"people": [vars(one) for one in known]} | ({"faces": listed} if called else {}))
    elif called:
        ui.table(["face", "photo"], [[str(face.id), str(places[face.id])] for face in faces])
    else:
        ui.table(["number", "name", "photos"], [[str(one.id), one.name or "", str(one.photos)] for one in known])


def name(called: Who, name: Annotated[str, typer.Argument(help="The person's name.")]) -> None:
    """Give a person a name; two of one name become one person."""
    from limner.album.people import name_person
    from limner.album.store import Album

    with Album() as album:
        print(described(name_person(album, called, name)))


def merge(called: Who, others: Annotated[list[str], typer.Argument(help="Who are the same person.")]) -> None:
    """Make one person of several."""
    from limner.album.people import merge_people
    from limner.album.store import Album

    with Album() as album:
        print(described(merge_people(album, called, others)))


def split(called: Who, faces: Annotated[list[int], typer.Argument(help="Faces of somebody else, by number.")]) -> None:
    """Take faces from a person, who become a new one."""
    from limner.album.people import split_person
    from limner.album.store import Album

    with Album() as album:
        print(described(split_person(album, called, faces)))


@takes("aligned", "detector", "yunet", "device", "dtype", "threads")
def who(
    given: Given,
    photo: Annotated[Path, typer.Argument(help="The photo.")],
    max_megapixels: Megapixels = 100.0,
    json: Json = False,
) -> None:
    """Tell who is in a photo, and which references a restoration would take."""
    settings = given.settings(method="refldm", album=True)
    with ui.progress("loading PyTorch", show=not json) as bar:
        with uncollected():
            from limner.album.references import AlbumReferences
            from limner.device import choose
            from limner.faces.chosen import faces_to_restore
            from limner.faces.placing import placing_of
            from limner.faces.recogniser import SIDE
            from limner.photo.photo import Photo

        compute = choose(settings.device, settings.dtype, settings.threads)
        source, placing = AlbumReferences(settings, SIDE, compute.device, max_megapixels), placing_of(settings)
        bar("looking for faces", 0, None)
        opened = Photo.open(photo, max_megapixels)
        found = source.of_photo(opened, faces_to_restore(opened.srgb(), placing, settings, SIDE).all, placing)
    if json:
        ui.emit({"photo": str(photo), "people": [ui.person_as_json(one) for one in found.people]})
        return
    for sentence in found.notes or [f"{photo}: no face found."]:
        print(sentence)


def where() -> None:
    """Where the album lies."""
    from limner.album.store import album_file

    print(album_file())


def forget(
    called: Annotated[str | None, typer.Argument(help="A name or number.")] = None,
    every: Annotated[bool, typer.Option("--all", help="The whole album.")] = False,
) -> None:
    """Remove a person from the album, or all of it."""
    from limner.album.people import forget_person
    from limner.album.store import Album, album_file

    if (called is None) is not every:
        raise LimnerError("Name one person to forget, or give --all to remove the whole album.")
    if every:
        for file in (album_file(), Path(f"{album_file()}-journal")):
            file.unlink(missing_ok=True)
        print(f"{album_file()} is gone.")
    elif called is not None:
        with Album() as album:
            print(f"{forget_person(album, called)} is forgotten, with all faces.")


def described(person: Person) -> str:
    """A person in words."""
    return f"{person} (number {person.id}): {person.seen}."


for command in (index, people, name, merge, split, who, where, forget):
    album_app.command()(command)
