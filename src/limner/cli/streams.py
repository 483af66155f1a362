"""`-` on the command line: a photograph from the input stream, a result to the output stream."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from limner.errors import LimnerError

STREAM = Path("-")


@dataclass(frozen=True)
class Streams:
    """Files that stand for streams.

    Attributes:
        sources: of the run, a file in the place of `-`.
        output: of the run, a folder in the place of `-`.
        folder: where both lie.
    """

    sources: list[Path]
    output: Path
    folder: Path

    def named(self, text: str) -> str:
        """A text with `-` in the place of those files."""
        for source in self.sources:
            if source.parent == self.folder:
                text = text.replace(str(self.output / source.name), "-").replace(str(source), "-")
        return text.replace(f"{self.folder}/", "")


@contextmanager
def streams(sources: Sequence[Path], output: Path = STREAM) -> Iterator[Streams]:
    """Files for what comes through `-`; when all is done, the result that was put into the output's goes out.

    Args:
        sources: as they were given.
        output: as it was given.

    Raises:
        LimnerError: if the input stream should be more than one photo, or more than one result should go out; and those
            raised within, with `-` in the place of those files.
    """
    if sources.count(STREAM) > 1:
        raise LimnerError("The input stream holds one photo: give - once.")
    with TemporaryDirectory(prefix="limner-") as name:
        folder = Path(name)
        files = [_spooled(folder) if source == STREAM else source for source in sources]
        out = folder / "results" if output == STREAM else output
        given = Streams(files, out, folder)
        try:
            yield given
        except LimnerError as error:
            raise type(error)(given.named(str(error))) from error
        if output == STREAM and out.is_dir():
            (result,) = (path for path in out.rglob("*") if path.is_file())
            sys.stdout.buffer.write(result.read_bytes())
            sys.stdout.buffer.flush()


def _spooled(folder: Path) -> Path:
    """The input stream as a file, with the suffix of its format."""
    from PIL import Image

    from limner.photo.contents import SUFFIXES

    path = folder / "stdin"
    path.write_bytes(sys.stdin.buffer.read())
    try:
        with Image.open(path) as image:
            suffix = next((suffix for suffix, format in SUFFIXES.items() if format == image.format), "")
    except Exception:  # reading the photo says what is wrong with it
        suffix = ""
    return path.rename(path.with_suffix(suffix))
