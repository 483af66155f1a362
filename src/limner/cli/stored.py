"""`s3://` and `gs://` on the command line: paths in the place of addresses, and addresses in what is told."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from limner.errors import LimnerError
from limner.process import is_gone, processes
from limner.storage.address import address_of, on_this_machine
from limner.storage.files import HERE, Files

_MIRROR = re.compile(r"limner-mirror-([0-9a-f]{8})([0-9a-f]{8})-.+")
"""Names of folders that hold copies of objects for a while: whose they are, as in `limner.photo.write`."""


@dataclass(frozen=True)
class Stored:
    """Paths of this machine for what was given.

    Attributes:
        sources: of the run.
        output: likewise; `-` stays.
        files: what the paths stand for.
    """

    sources: list[Path]
    output: Path
    files: Files


@contextmanager
def stored(
    sources: Sequence[Path], output: Path | None = None, max_megapixels: float = float("inf")
) -> Iterator[Stored]:
    """Paths that stand for addresses, as long as it lasts.

    Args:
        sources: as they were given.
        output: likewise; None where nothing is written.
        max_megapixels: of photographs.

    Raises:
        LimnerError: an address leads nowhere, the store can't be asked, or the package for it is missing; and those
            raised within, with addresses in the place of paths.
    """
    given = [*sources, *([output] if output else [])]
    if not any(map(address_of, given)):
        out = on_this_machine(output) if output else Path()
        yield Stored([on_this_machine(one) for one in sources], out, HERE)
        return
    from limner.photo.contents import SUFFIXES, suffix_of
    from limner.storage.objects import Objects

    _sweep()
    with TemporaryDirectory(prefix=f"limner-mirror-{processes()}{os.getpid():08x}-") as folder:
        objects = Objects(Path(folder), max_megapixels)
        try:
            paths = [
                objects.source(address) if (address := address_of(one)) else on_this_machine(one) for one in sources
            ]
            if output is None:
                out = Path()
            elif address := address_of(output):
                out = objects.output(address, folder=suffix_of(output) not in SUFFIXES)
            else:
                out = on_this_machine(output)
            yield Stored(paths, out, objects)
        except LimnerError as error:
            raise type(error)(objects.named(str(error))) from error


def refuse_addresses(options: Mapping[str, object]) -> None:
    """Options that name files and folders of this machine alone.

    Args:
        options: what was given, by their flags; None where nothing was.

    Raises:
        LimnerError: an address is among them.
    """
    for flag, value in options.items():
        for one in value if isinstance(value, list | tuple) else (value,):
            if isinstance(one, str | Path) and (address := address_of(one)):
                raise LimnerError(f"{flag} takes what lies on this machine: copy {address} here, or name a path.")


def _sweep() -> None:
    """Takes away the copies that runs have left here which were killed."""
    for folder in Path(gettempdir()).glob("limner-mirror-*"):
        if (found := _MIRROR.fullmatch(folder.name)) and is_gone(found[1], int(found[2], 16)):
            shutil.rmtree(folder, ignore_errors=True)
