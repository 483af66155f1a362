"""A clip's work while it lasts: segments of packets that are done, so that a run that was interrupted goes on there.

A folder beside the result holds one file for each segment, and a note of whose they are; it goes when the result is
there.
"""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

from limner.errors import LimnerError
from limner.photo.write import sweep, write_atomically
from limner.process import claimed
from limner.video.encode import Coded, Encoder, Encoding
from limner.video.pyav import ClipError

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

FRAMES = 96
"""Of a segment: what an interrupted run does again at most."""

_HEAD = struct.Struct("<qqB")  # length of the data, frame, whether it is a key
_NOTE, _CLAIM = "made_of.json", "claim"


class Segments:
    """The work on one clip, which `with` claims: two processes never work at one result.

    Left by an error that the same command would meet again before anything is done, it takes itself away.

    Args:
        target: the result.
        made_of: what decides every bit of it: work that was begun with something else is thrown away.

    Raises:
        ClipError: another process is at work on the result.
    """

    def __init__(self, target: Path, made_of: dict[str, object]):
        self.folder = target.with_name(f".{target.name[:200]}.limner")
        self._target, self._note = target, json.dumps(made_of, sort_keys=True, indent=1)
        self._claim: IO[bytes] | None = None

    def __enter__(self) -> Segments:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._claim = (self.folder / _CLAIM).open("ab")
        if not claimed(self._claim):
            self._claim.close()
            raise ClipError(f"Another process restores into {self._target}: wait for it, or give another output.")
        held = self.folder / _NOTE
        if not (held.is_file() and held.read_text(encoding="utf-8") == self._note):
            for one in self.folder.iterdir():
                if one.name != _CLAIM:
                    one.unlink()
            write_atomically(held, self._note.encode())
        sweep(self.folder)
        sweep(self._target.parent)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and issubclass(kind, LimnerError) and not self.done():
            self.remove()
        if self._claim:
            self._claim.close()

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

    def make(
        self, encoding: Encoding, frames: Iterable[VideoFrame], start: int, total: int, told: Callable[[int], None]
    ) -> None:
        """Makes the segments that are missing.

        Args:
            encoding: of all frames.
            frames: from `start` on, in the encoding's layout.
            start: frame with which the first missing segment begins.
            total: how many frames the clip has.
            told: called with how many are done.
        """
        encoder, packets = Encoder(encoding), list[Coded]()
        for number, frame in enumerate(frames, start):
            packets += encoder.frame(frame)
            if (number + 1) % FRAMES == 0 or number + 1 == total:
                self.write(number // FRAMES, [*packets, *encoder.rest()])
                encoder, packets = Encoder(encoding), list[Coded]()
            told(number + 1)

    def read(self, number: int) -> Iterator[Coded]:
        """The packets of a segment, in the order in which they are decoded; `frame` counts within the segment."""
        with self._path(number).open("rb") as file:
            while head := file.read(_HEAD.size):
                length, frame, key = _HEAD.unpack(head)
                yield Coded(file.read(length), frame, bool(key))

    def remove(self) -> None:
        """Takes the work away."""
        if self._claim:
            self._claim.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.packets"
