"""Which files are the photographs of a run: those that were named, and those in folders that nobody made by machine."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from limner.errors import LimnerError
from limner.folder.pictures import is_side_picture
from limner.photo.contents import SUFFIXES
from limner.photo.provenance import Provenance, read
from limner.storage.files import HERE, Files

MACHINES = frozenset({"@eaDir", "__MACOSX", "#recycle", "$RECYCLE.BIN", "lost+found"})
"""Folders that systems keep in albums; their previews and waste are no photographs. Those with a dot aren't either."""

OTHER_FORMATS = frozenset(
    {".gif", ".jxl", ".jp2", ".jpf", ".psd", ".psb", ".xcf", ".svg", ".tga", ".ico", ".raw"}
    | {".dng", ".cr2", ".cr3", ".nef", ".nrw", ".arw", ".orf", ".rw2", ".raf", ".pef", ".srw"}
)
"""Suffixes of pictures, also of those that limner doesn't read."""

OTHERS = OTHER_FORMATS - SUFFIXES.keys()
OWN_RESULT = "made by limner earlier, so left alone"
FEW = 3  # files that a sentence names


class Source(NamedTuple):
    """A photograph and its place: its path relative to the source that it was found in."""

    path: Path
    place: Path


@dataclass
class FoundPhotos:
    """What lies in files and folders.

    Attributes:
        photos: each once, in the order of the sources, sorted within a folder.
        passed_over: what was left alone and why, one sentence each.
    """

    photos: list[Source] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)


class Resolver:
    """The files that paths lead to. Each folder is resolved once, which for 100,000 photographs saves seconds."""

    def __init__(self) -> None:
        self._folders: dict[str, str] = {}

    def __call__(self, path: Path) -> str:
        """As `Path.resolve` gives it."""
        text = str(path)
        name = text.rpartition(os.sep)[2]
        if name in ("", ".", "..") or os.path.islink(text):
            return os.path.realpath(text)
        folder = text[: -len(name)]
        if (real := self._folders.get(folder)) is None:
            real = self._folders[folder] = os.path.join(os.path.realpath(folder or "."), "")
        return real + name


def find_photos(
    sources: Sequence[Path], results: Iterable[Path] = (), opened: bool = True, files: Files = HERE
) -> FoundPhotos:
    """The photographs among files and folders, which are searched to the bottom.

    In a folder hidden files, systems' previews and results of limner are left alone, linked folders aren't entered; a
    file that is named is taken whatever it is.

    Args:
        sources: files and folders.
        results: folders that this run writes to; one that lies inside a source is not searched.
        opened: whether pictures are opened here to find results of limner among them. Whoever takes one photograph
            after another of a large archive looks when its turn comes.
        files: where sources lie.

    Raises:
        LimnerError: if a source doesn't exist or a folder holds no photograph, or a store can't be asked.
    """
    found, known, resolved = FoundPhotos(), set[str](), Resolver()
    for source in sources:
        if source.is_dir():
            inside = _inside(source, [one.resolve() for one in results], found.passed_over, opened, files)
        elif files.facts(source):
            inside = [Source(source, Path(source.name))]
        else:
            raise LimnerError(f"There is no file or folder {source}: check the path.")
        for photo in inside:
            if (file := resolved(photo.path)) not in known:
                known.add(file)
                found.photos.append(photo)
    return found


def _inside(folder: Path, results: Sequence[Path], passed_over: list[str], opened: bool, files: Files) -> list[Source]:
    """The photographs of one folder."""
    listed = files.listing(folder, passed_over)
    seen = _walk(folder, results, passed_over) if listed is None else _seen(listed, folder, results)
    paths = sorted(seen, key=lambda file: file.replace(os.sep, "\0"))
    suffixes = [os.path.splitext(file)[1].lower() for file in paths]
    others = [Path(file) for file, suffix in zip(paths, suffixes, strict=True) if suffix in OTHERS]
    if others:
        passed_over.append(f"{named(others)}: of a format that limner doesn't read, convert to JPEG or PNG.")
    pictures = [Path(file) for file, suffix in zip(paths, suffixes, strict=True) if suffix in SUFFIXES]
    pictures = [file for file in pictures if not is_side_picture(file)]
    made = [file for file in pictures if provenance_of(file)] if opened else []
    made += _copies(pictures, made)
    if made:
        passed_over.append(f"{named(made)}: {OWN_RESULT}; a file named by itself is taken.")
    depth, own = len(folder.parts), set(made)
    photos = [Source(file, Path(*file.parts[depth:])) for file in pictures if file not in own]
    if not photos:
        but = " but what limner made" if made else ""
        raise LimnerError(f"The folder {folder} holds no photograph{but} ({', '.join(sorted(SUFFIXES))}).")
    return photos


def _walk(folder: Path, results: Sequence[Path], passed_over: list[str]) -> Iterator[str]:
    """All files of a folder that people see."""
    own = folder.resolve()
    closed = [one for one in results if one != own]

    def unreadable(error: OSError) -> None:
        passed_over.append(f"{error.filename} can't be searched: {error.strerror}.")

    for place, folders, files in os.walk(folder, onerror=unreadable):
        here = Path(place)
        seen = [name for name in folders if not name.startswith(".") and name not in MACHINES]
        linked = [here / name for name in seen if (here / name).is_symlink()]
        if linked:
            passed_over.append(f"{named(linked)}: a link to another folder, name it to have its photographs, too.")
        folders[:] = [name for name in seen if (here / name) not in linked and (here / name).resolve() not in closed]
        paths = [os.path.join(here, name) for name in files if not name.startswith(".")]
        yield from (path for path in paths if os.path.isfile(path) or os.path.islink(path))


def _seen(listed: Sequence[str], folder: Path, results: Sequence[Path]) -> Iterator[str]:
    """Of the objects below a folder those that `_walk` would show, were they files."""
    base = os.path.join(folder, "")
    closed = tuple(os.path.join(one, "") for one in results if one != folder)
    for path in listed:
        parts = path[len(base) :].split(os.sep)
        hidden = any(part.startswith(".") for part in parts) or not MACHINES.isdisjoint(parts[:-1])
        if not hidden and not path.startswith(closed):
            yield path


def _copies(pictures: Sequence[Path], made: Sequence[Path]) -> list[Path]:
    """Photographs without a face are copied to the results, where nothing but their company tells: a file beside
    results, of the same name and bytes as another elsewhere."""
    folders, alike = {file.parent for file in made}, dict[str, list[Path]]()
    for file in pictures:
        alike.setdefault(file.name, []).append(file)
    return [
        file
        for file in pictures
        if file.parent in folders
        and file not in made
        and any(other.parent not in folders and same_bytes(file, other) for other in alike[file.name])
    ]


def same_bytes(one: Path, other: Path) -> bool:
    try:
        return one.stat().st_size == other.stat().st_size and one.read_bytes() == other.read_bytes()
    except OSError:
        return False


def provenance_of(path: Path) -> Provenance | None:
    """What a file says of its restoration; None also where it can't be read, which is another's to tell."""
    try:
        return read(path) if path.is_file() else None
    except Exception:  # damaged files meet decoders and parsers with any exception
        return None


def named(paths: Sequence[Path]) -> str:
    more = f" and {len(paths) - FEW} more" if len(paths) > FEW else ""
    return ", ".join(str(path) for path in paths[:FEW]) + more
