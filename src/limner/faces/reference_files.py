"""Which files are references: those that were named, and those in folders that were."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from limner.errors import LimnerError
from limner.photo.contents import SUFFIXES
from limner.photo.photo import Photo


def reference_files(sources: Sequence[str | PathLike[str] | Photo]) -> list[Path | Photo]:
    """The photographs among files, folders and photographs, in their order and each once.

    Of a folder, those that lie in it, sorted by name.

    Raises:
        LimnerError: a source that doesn't exist, or a folder without a photograph.
    """
    found: dict[Path | int, Path | Photo] = {}
    for source in sources:
        if isinstance(source, Photo):
            found[id(source)] = source
            continue
        files = [source := Path(source)]
        if source.is_dir():
            files = sorted(p for p in source.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
            files = [file for file in files if not file.name.startswith(".")]
            if not files:
                raise LimnerError(f"The folder of references {source} holds no photograph: name another.")
        elif not source.exists():
            raise LimnerError(f"There is no reference {source}: check the path.")
        found |= {file.resolve(): file for file in files if file.resolve() not in found}
    return list(found.values())
