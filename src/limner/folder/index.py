"""Folders of photographs taken into the album, and their faces grouped by person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from limner.album.group import group
from limner.album.index import Indexed, Indexer, Looks
from limner.album.store import Album
from limner.device import choose
from limner.errors import Cancelled
from limner.faces.placing import placing_of
from limner.faces.recogniser import Recogniser
from limner.folder.find import find_photos
from limner.settings import Settings


@dataclass(frozen=True)
class IndexedFolders:
    """What became of folders.

    Attributes:
        done: what the run did.
        passed_over: files that were left alone and why, one sentence each.
        album: the album's file.
    """

    done: Indexed
    passed_over: list[str]
    album: Path


def index_folders(
    sources: Sequence[Path],
    settings: Settings,
    max_megapixels: float = 100.0,
    progress: Callable[[str, int, int | None], None] = lambda text, done, total: None,
    elsewhere: Looks | None = None,
) -> IndexedFolders:
    """Takes the photographs of folders into the album, which is made where there is none, and groups their faces.

    Args:
        sources: folders, and photographs by themselves.
        settings: how faces lie in them, and where nets run.
        max_megapixels: larger photographs are passed over.
        progress: called with (what is being done, done, of how many; None where nobody knows). Where it raises
            `Cancelled`, what was looked at until then is grouped, and the next run goes on there.
        elsewhere: others that look at photographs in this process's place.

    Raises:
        LimnerError: a source doesn't exist or holds no photograph, or the album can't be written.
    """
    compute = choose(settings.device, settings.dtype, settings.threads)
    found = find_photos(sources)
    with Album(create=True) as album:
        indexer = Indexer(album, Recogniser(compute.device), placing_of(settings), max_megapixels)
        folders = [source for source in sources if source.is_dir()]
        try:
            done = indexer.run([photo.path for photo in found.photos], folders, progress, elsewhere)
            progress("grouping by person", 0, None)
        except Cancelled:
            group(album)
            raise
        group(album)
        return IndexedFolders(done, found.passed_over, album.path)
