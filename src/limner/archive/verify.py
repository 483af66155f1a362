"""Whether the results of an archive are still what was written."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from limner.archive.manifest import DONE, NO_FACE, Manifest
from limner.errors import LimnerError
from limner.storage.files import HERE, Files


@dataclass
class Verified:
    """What became of results since they were written.

    Attributes:
        fine: how many are as they were.
        missing, changed, unreadable: those that aren't there, have other bytes, or can't be read.
    """

    fine: int = 0
    missing: list[Path] = field(default_factory=list)
    changed: list[Path] = field(default_factory=list)
    unreadable: list[Path] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether all are fine."""
        return not (self.missing or self.changed or self.unreadable)


def verify(
    manifest: Manifest, progress: Callable[[int, int], None] = lambda done, total: None, files: Files = HERE
) -> Verified:
    """Compares all results with their record; nothing is changed.

    Args:
        manifest: of the archive.
        progress: called with (results compared, of how many).
        files: where the results lie.
    """
    rows = manifest.ask(
        "SELECT path, outputs.size, outputs.sha256 FROM outputs JOIN photos ON photos.id = outputs.photo "
        "WHERE state IN (?, ?) ORDER BY path",
        DONE,
        NO_FACE,
    )
    found = Verified()
    for number, (path, size, digest) in enumerate(rows, 1):
        file = manifest.out / os.fsdecode(path)
        try:
            facts = files.facts(file)
            if (facts and facts.size != size) or files.digest(file) != digest:
                found.changed.append(file)
            else:
                found.fine += 1
        except FileNotFoundError:
            found.missing.append(file)
        except (LimnerError, OSError):
            found.unreadable.append(file)
        progress(number, len(rows))
    return found
