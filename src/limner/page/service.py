"""What page and HTTP share: the queue, the restorer it keeps, the limits, and the folder in which photographs lie."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from uuid import uuid4

from limner.page.leftovers import new_temporary, sweep
from limner.page.restoring import Limits, Restorers
from limner.page.work import Work
from limner.photo.contents import suffix_of
from limner.settings import Settings

LONGEST_NAME = 100


@dataclass(frozen=True)
class Service:
    """One program's queue and folder.

    Attributes:
        base: how it restores where nobody says otherwise.
        limits: of what is taken.
        work: the queue.
        restorers: for its worker.
        folder: of all that is kept while it runs.
        in_use: open as long as the folder is in use.
    """

    base: Settings
    limits: Limits
    work: Work
    restorers: Restorers
    folder: Path
    in_use: IO[bytes]

    @classmethod
    def open(cls, base: Settings | None = None, limits: Limits | None = None, most: int = 32) -> Service:
        """A service whose folder is new; `close` removes it. Those of programs that were killed are removed first.

        Args:
            base, limits: see above.
            most: photographs in the queue.
        """
        limits = limits or Limits()
        sweep()
        return cls(base or Settings(), limits, Work(most), Restorers(limits), *new_temporary())

    def close(self) -> None:
        """Ends the queue and removes all that lies in the folder."""
        self.work.close()
        self.in_use.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def new_folder(self) -> Path:
        """A folder that nobody can guess the name of."""
        folder = self.folder / uuid4().hex
        folder.mkdir(mode=0o700)
        return folder


def safe_name(name: str) -> str:
    """A file's name as its owner knows it, as far as it can be one here."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(one for one in last if one.isprintable() and one not in '<>:"|?*').strip(" .")
    suffix = Path(kept).suffix if suffix_of(Path(kept)) else ""
    stem = kept[: len(kept) - len(suffix)].encode()[:LONGEST_NAME].decode(errors="ignore").strip(" .")
    return f"{stem or 'photo'}{suffix}"
