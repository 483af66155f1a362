"""Files of this machine, and what is asked of them by those who also work on objects in a store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from limner.photo.provenance import digest_of
from limner.storage.address import address_of


class Facts(NamedTuple):
    """What can be told of a file without reading it.

    Attributes:
        size: in bytes.
        version: a number that is another one where the bytes are others: the time of its last change in nanoseconds,
            or of an object what its entity tag gives.
        modified: the time of its last change in nanoseconds since 1970.
    """

    size: int
    version: int
    modified: int


class Files:
    """Photographs and results that lie where their paths say. `Objects` also has some for which a path stands."""

    def stores(self, path: Path) -> bool:
        """Whether a path stands for an object in a store."""
        return False

    def facts(self, path: Path) -> Facts | None:
        """Of a file; None where there is none.

        Raises:
            LimnerError: the store can't be asked.
        """
        try:
            found = os.stat(path)
        except OSError:
            return None
        return Facts(found.st_size, found.st_mtime_ns, found.st_mtime_ns)

    def listing(self, folder: Path, passed_over: list[str]) -> list[str] | None:
        """All objects below a folder that stands for such, as paths; None of a folder of this machine.

        Args:
            folder: the folder.
            passed_over: takes a sentence on what can't have a path.

        Raises:
            LimnerError: the store can't be asked.
        """
        return None

    def bring(self, *paths: Path) -> None:
        """Sees to it that objects lie on this machine; those that don't exist are passed over, as reading tells.

        Raises:
            LimnerError: one can't be fetched.
        """

    def keep(self, path: Path) -> None:
        """Stores what was written to a path; whole, or not at all.

        Raises:
            LimnerError: it can't be stored.
        """

    def drop(self, *paths: Path) -> None:
        """Forgets what `bring` brought and `keep` stored: nothing but this machine's copies of objects."""

    def digest(self, path: Path) -> str:
        """SHA-256 of a file.

        Raises:
            LimnerError: an object can't be fetched.
            OSError: it can't be read.
        """
        return digest_of(path)

    def has_gone(self, out: Path, source: str) -> bool:
        """Whether a photograph is no longer there; False where that can't be told.

        Args:
            out: the folder of results.
            source: the photograph as it is seen from there, or its address.
        """
        return address_of(source) is None and not (out / source).exists()

    def named(self, text: str) -> str:
        """A text with addresses in the place of paths that stand for them."""
        return text

    @contextmanager
    def held(self, out: Path) -> Iterator[None]:
        """Around a run that keeps a manifest in a folder of results, which a store lends to one process at a time.

        Raises:
            LimnerError: another process has it, or the store can't be asked.
        """
        yield

    def check(self) -> None:
        """
        Raises:
            LimnerError: the folder that is held has been taken over by another process.
        """


HERE = Files()
"""Where all lies that has no address."""
