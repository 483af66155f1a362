"""Whether a process that left something behind is still at work: its claim on a photograph, its temporary file."""

from __future__ import annotations

import hashlib
import os
import socket
from functools import cache
from pathlib import Path
from typing import IO


@cache
def processes() -> str:
    """Which table of processes the numbers of processes belong to here, as 8 hexadecimal digits: of this machine, since
    it was started, and of a container alone where this runs in one. A number says nothing of a process elsewhere."""
    told = [socket.gethostname()]
    for file in ("/proc/sys/kernel/random/boot_id", "/proc/self/ns/pid"):
        try:
            told.append(os.readlink(file) if Path(file).is_symlink() else Path(file).read_text())
        except OSError:  # not Linux
            continue
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:8]


def is_gone(where: str, number: int) -> bool:
    """Whether a process has surely ended; False also where that can't be told.

    Args:
        where: its `processes()`.
        number: of the process.
    """
    if where != processes() or os.name != "posix":  # elsewhere `os.kill` ends what it asks for
        return False
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # another user's
        return False
    return False


def claimed(file: IO[bytes]) -> bool:
    """Claims an open file for as long as it stays open, at most while its process lives; False if another
    has claimed it. Where the system can't tell, nobody has."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]  # of Windows alone
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # a file system without claims
        return True
    return True
