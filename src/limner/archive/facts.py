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
from limner.storage.files import HERE, Files


@dataclass(frozen=True)
class Facts:
    """A photograph as it was before it was restored.

    Attributes:
        size, mtime_ns, sha256: of its file, of an object the version in the place of a time; 0 and None where that
            can't be read.
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


def facts_of(target: Target, masks: MaskFiles | None, files: Files = HERE) -> Facts:
    """A photograph as it is now; an object in a store lies on this machine afterwards.

    Args:
        target: it and its results.
        masks: of photographs with holes.
        files: what the paths stand for.
    """
    found, path = Facts(), target.source.path
    try:
        if told := files.facts(path):
            found = replace(found, size=told.size, mtime_ns=told.version)
        files.bring(path)
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
