"""What an archive's manifest knows files by, and outcomes that bring it along, of photographs restored elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from limner.archive.plan import mask_digest
from limner.errors import LimnerError
from limner.folder.run import Outcome
from limner.folder.targets import Target
from limner.holes.mask import MaskFiles
from limner.photo.provenance import digest_of


@dataclass(frozen=True)
class Facts:
    """A photograph as it was before it was restored.

    Attributes:
        size, mtime_ns, sha256: of its file; 0 and None where that can't be read.
        mask: see `limner.archive.plan.mask_digest`.
    """

    size: int = 0
    mtime_ns: int = 0
    sha256: str | None = None
    mask: str | None = None


@dataclass
class ElsewhereOutcome(Outcome):
    """What became of a photograph in another process, which tells what it saw: whoever records it needn't read the
    files. It has no pixels.

    Attributes:
        facts: of the photograph.
        results: size and SHA-256 of each output; None where none was written, or was gone at once.
        own: whether the photograph is a result itself, and so was left alone.
    """

    facts: Facts = field(default_factory=Facts)
    results: tuple[tuple[int, str], ...] | None = None
    own: bool = False


def facts_of(target: Target, masks: MaskFiles | None) -> Facts:
    """A photograph as it is now.

    Args:
        target: it and its results.
        masks: of photographs with holes.
    """
    found, path = Facts(), target.source.path
    try:
        stat = path.stat()
        found = replace(found, size=stat.st_size, mtime_ns=stat.st_mtime_ns)
        found = replace(found, sha256=digest_of(path))
        return replace(found, mask=mask_digest(masks, target))
    except (LimnerError, OSError):  # restoring it tells
        return found


def of_file(path: Path) -> tuple[int, str]:
    """Size and SHA-256.

    Raises:
        OSError: it can't be read.
    """
    return path.stat().st_size, digest_of(path)
