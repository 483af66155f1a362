"""A clip's work while it lasts: segments of packets that are done, so that a run that was interrupted goes on there.

A folder beside the result holds one file for each segment, and a note of whose they are; it goes when the result is
there.
"""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

from limner.photo.write import write_atomically
from limner.video.encode import Coded

FRAMES = 96
"""Of a segment: what an interrupted run does again at most."""

_HEAD = struct.Struct("<qqB")  # length of the data, frame, whether it is a key
_NOTE = "made_of.json"


class Segments:
    """The work on one clip.

    Args:
        target: the result.
        made_of: what decides every bit of it: work that was begun with something else is thrown away.
    """

    def __init__(self, target: Path, made_of: dict[str, object]):
        self.folder = target.with_name(f".{target.name[:200]}.limner")
        note = json.dumps(made_of, sort_keys=True, indent=1)
        held = self.folder / _NOTE
        if self.folder.is_dir() and not (held.is_file() and held.read_text(encoding="utf-8") == note):
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        if not held.is_file():
            write_atomically(held, note.encode())

    def file(self, name: str) -> Path:
        """Where other work is kept."""
        return self.folder / name

    def done(self) -> int:
        """How many segments are done, one after another from the first."""
        count = 0
        while self._path(count).is_file():
            count += 1
        return count

    def write(self, number: int, packets: Iterable[Coded]) -> None:
        """Keeps a segment, whole or not at all."""
        data = b"".join(_HEAD.pack(len(one.data), one.frame, one.key) + one.data for one in packets)
        write_atomically(self._path(number), data)

    def read(self, number: int) -> Iterator[Coded]:
        """The packets of a segment, in the order in which they are decoded; `frame` counts within the segment."""
        with self._path(number).open("rb") as file:
            while head := file.read(_HEAD.size):
                length, frame, key = _HEAD.unpack(head)
                yield Coded(file.read(length), frame, bool(key))

    def remove(self) -> None:
        """Takes the work away."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.packets"
