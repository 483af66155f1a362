"""A folder of results in a store, held by one process: its manifest is fetched, and stored again while the run goes on.

SQLite's file can't be shared through a store as it is through a file system. So whoever restores into such a folder
holds an object, the lock, which says who that is and is written anew every few seconds. A process on this machine that
has ended is known at once; of one elsewhere it is looked whether the lock changes, so that no two clocks are compared.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

from limner.errors import LimnerError
from limner.process import is_gone, processes
from limner.storage.failures import failure

BEAT = 10.0
"""Seconds after which the lock is written anew."""
WATCH = 60.0
"""Seconds for which a lock of another machine has to stay as it is until its process is taken for ended."""
FIRST = 5.0
"""Seconds after which the manifest is stored for the first time, so that others see that there is one."""
SAVED = 60.0
"""Seconds after which the manifest is stored again, or twenty times as long as that took."""


class Held:
    """`with` takes the lock and fetches the manifest, stores it at the end and gives the lock back.

    Args:
        system: the store, as fsspec gives it.
        key: of the folder there.
        out: the path that stands for it.

    Raises:
        LimnerError: another process has it, another has taken it over, or the store can't be asked.
    """

    def __init__(self, system: Any, key: str, out: Path):
        self.system, self.out = system, out
        self._lock = f"{key}/.limner/lock.json"
        self._key, self._file = f"{key}/.limner/manifest.sqlite", out / ".limner" / "manifest.sqlite"
        self._me = {
            "id": secrets.token_hex(8),
            "host": socket.gethostname(),
            "processes": processes(),
            "pid": os.getpid(),
        }
        self._ended, self._lost = Event(), False
        self._threads = [
            Thread(target=work, daemon=True, name=f"limner-{work.__name__}") for work in (self._beat, self._save)
        ]

    def __enter__(self) -> Held:
        try:
            self._take()
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                self.system.get_file(self._key, str(self._file))
        except LimnerError:
            raise
        except Exception as error:
            raise failure(error, self.out) from error
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()
        try:
            self._lost = self._lost or self._owner() != self._me["id"]
            self.check()
            if self._file.is_file():
                self.system.put_file(str(self._file), self._key)
            self.system.rm_file(self._lock)
        except Exception as error:
            if kind is None:  # else the run has ended for another reason, which is told
                raise error if isinstance(error, LimnerError) else failure(error, self.out) from error

    def check(self) -> None:
        """
        Raises:
            LimnerError: another process has taken the folder over, so that this one's run is to end.
        """
        if self._lost:
            raise LimnerError(
                f"Another process has taken {self.out} over while this one couldn't be heard of, and goes on there."
            )

    def _take(self) -> None:
        if other := self._read():
            if not is_gone(other.get("processes", ""), other.get("pid", 0)):
                self._watch(other)
            with suppress(FileNotFoundError):
                self.system.rm_file(self._lock)
        with suppress(FileExistsError):  # another was quicker, as the next look tells
            self._write(first=True)
        if self._owner() != self._me["id"]:
            raise self._refusal(self._read())

    def _watch(self, other: dict[str, Any]) -> None:
        """
        Raises:
            LimnerError: the other process is at work.
        """
        until = time.monotonic() + WATCH
        while time.monotonic() < until:
            time.sleep(min(1.0, WATCH / 10))
            if not (now := self._read()):
                return  # it has just ended
            if now != other:
                raise self._refusal(now)

    def _refusal(self, other: dict[str, Any]) -> LimnerError:
        return LimnerError(
            f"Process {other.get('pid')} on {other.get('host')} is restoring into {self.out}, which a store lends to "
            "one process at a time: wait until it has ended, or choose another --output."
        )

    def _write(self, first: bool = False) -> None:
        told = json.dumps(self._me | {"written": time.time()}).encode()
        self.system.pipe_file(self._lock, told, mode="create" if first else "overwrite")

    def _read(self) -> dict[str, Any]:
        try:
            told = json.loads(self.system.cat_file(self._lock))
        except (FileNotFoundError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    def _owner(self) -> str | None:
        return self._read().get("id")

    def _beat(self) -> None:
        while not self._ended.wait(BEAT):
            with suppress(Exception):  # a network that is away for a while: whoever restores meets it, too
                if self._owner() != self._me["id"]:
                    self._lost = True
                    return
                self._write()

    def _save(self) -> None:
        pause = min(FIRST, SAVED)
        while not self._ended.wait(pause):
            begun = time.monotonic()
            with suppress(Exception):
                # a process that was away for long may wake up here before it looks at the lock
                self._lost = self._lost or self._owner() != self._me["id"]
                if not self._lost and self._file.is_file():
                    self._stored(self.system.put_file)
            pause = max(SAVED, 20 * (time.monotonic() - begun))

    def _stored(self, put: Callable[[str, str], object]) -> None:
        """Stores the manifest as it is at this moment, while it is being written to."""
        whole = self._file.with_name("stored.sqlite")
        with closing(sqlite3.connect(self._file)) as source, closing(sqlite3.connect(whole)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        put(str(whole), self._key)
        whole.unlink()
