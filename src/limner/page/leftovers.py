"""A program's temporary folder, and those of programs that were killed: each holds a locked file in its own, which the
system unlocks when the program ends in whatever way. Where there are no such locks (Windows) nothing is swept."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

PREFIX, LOCK = "limner-ui-", "in-use"


def new_temporary() -> tuple[Path, IO[bytes]]:
    """A folder that its user alone may read, and the file that says, as long as it is open, that it is in use."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
    lock = (folder / f"{LOCK}-soon").open("wb")
    if fcntl:
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.rename(lock.name, folder / LOCK)  # locked before it is there, so that nobody sweeps a new folder
    return folder, lock


def sweep() -> None:
    """Removes the folders of this user's programs that are gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if fcntl and not folder.is_symlink() and folder.is_dir() and _gone(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _gone(folder: Path) -> bool:
    """Whether the program of a folder has ended; False also of what isn't this user's or has no such file."""
    if not fcntl:
        return False
    try:
        if folder.stat().st_uid != os.getuid():
            return False
        with (folder / LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
