"""Results that are there already: whether they are what this run would make, judged by what they say of themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from limner.folder.find import provenance_of
from limner.holes.mask import FilledHoles, Mask, digest_of_mask
from limner.photo.contents import SUFFIXES, suffix_of
from limner.photo.provenance import Provenance
from limner.restorer import Restorer


@dataclass(frozen=True)
class Kept:
    """Why a result that is there stays.

    Attributes:
        reason: one sentence.
        provenance: what the result says of itself; None if nothing.
    """

    reason: str
    provenance: Provenance | None = None


def kept(
    outputs: Sequence[Path], source: Path, restorer: Restorer, quality: int | None = None, mask: Mask | None = None
) -> Kept | None:
    """Whether the results of a photograph stay as they are; None if they are to be made.

    They are made anew where one is missing or empty, or was made of another photograph, with other settings or another
    version. A file that doesn't say that limner made it is never replaced.

    Args:
        outputs: the results' files.
        source: the photograph.
        restorer: with the settings of this run.
        quality: that results are stored with, see `Provenance`.
        mask: of the photograph's holes; None where it has none.
    """
    there = [path for path in outputs if path.is_file() and path.stat().st_size]
    told = {path: provenance_of(path) for path in there}
    copies = [path for path in there if told[path] is None and path.read_bytes() == source.read_bytes()]
    for path in there:
        if told[path] is None and path not in copies:
            return Kept(f"{path} is there already and doesn't say how it was made: --overwrite replaces it.")
    if len(there) < len(outputs) or (copies and (mask is not None or alters(restorer, source, copies[0]))):
        return None
    if any(one and one != expected(one, source, restorer, quality, mask) for one in told.values()):
        return None
    names = ", ".join(str(path) for path in outputs)
    if copies:
        return Kept(f"{names} is there already, a copy because no face was found: --overwrite looks again.")
    return Kept(f"{names} is there already: --overwrite makes it anew.", told[there[0]])


def expected(
    told: Provenance, source: Path, restorer: Restorer, quality: int | None, mask: Mask | None = None
) -> Provenance | None:
    """What a result of this run would say of itself, of as many faces as another; None if nothing. Where no precision
    is asked for, any will do: it depends on the machine.

    Args:
        told: by the other result.
        source, restorer, quality, mask: see `kept`.
    """
    holes = None if mask is None else FilledHoles(told.filled or 0.0, digest_of_mask(mask))
    made = restorer.provenance(source, told.faces, told.invented, told.references, holes)
    if made and restorer.settings.dtype == "auto":
        made = replace(made, precision=told.precision)
    return made and replace(made, quality=quality)


def alters(restorer: Restorer, source: Path, target: Path) -> bool:
    """Whether also a photograph without a face comes out as another file."""
    settings = restorer.settings
    wanted = suffix_of(target)
    converts = bool(wanted) and SUFFIXES.get(wanted) != SUFFIXES.get(suffix_of(source))
    return settings.upscale > 1 or settings.background == "clean" or converts
