"""Photographs looked at by workers, for the album, which this process alone writes."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from limner.album.look import Look, Looker
from limner.cluster.job import Begun
from limner.cluster.started import check_seen, of_a_worker, started
from limner.device import choose, use_threads
from limner.faces.placing import placing_of
from limner.faces.recogniser import Recogniser
from limner.folder.in_order import Stop
from limner.settings import Settings

Placed = tuple[int, Path]
"""A photograph with its place among all of a run."""
MANY = 1_000_000
"""Photographs, for nobody knows how many are new: as many workers as there is room for."""


@dataclass(frozen=True)
class LookJob:
    """What workers do with photographs.

    Attributes:
        settings, max_megapixels: see `limner.folder.index.index_folders`.
        seen: photographs that every worker must see.
    """

    settings: Settings
    max_megapixels: float
    seen: tuple[Path, ...] = ()

    def begin(self) -> Begun[Placed, tuple[int, Look]]:
        """
        Raises:
            LimnerError: the photographs aren't seen here, or there is no such device.
        """
        check_seen(*self.seen)
        compute = choose(self.settings.device, self.settings.dtype, self.settings.threads)
        look = Looker(Recogniser(compute.device), placing_of(self.settings), self.max_megapixels)
        return Begun(_Looks(look, self.settings.threads), {"the device": compute.device.type})

    def lost(self, item: Placed, deaths: int) -> tuple[int, Look]:
        number, path = item
        return number, Look(problem=f"{path} ended {deaths} workers, one after another, as where memory runs out.")


@dataclass(frozen=True)
class _Looks:
    """A worker's way from a photograph to what is seen of it."""

    look: Looker
    threads: int | None

    def __call__(self, item: Placed, stop: Stop) -> tuple[int, Look]:
        use_threads(self.threads)
        number, path = item
        return number, self.look(path)


def looks_of(address: str, job: LookJob, photos: Iterable[Placed]) -> Generator[tuple[int, Look]]:
    """What workers see, see `limner.album.index.Looks`. There are none as long as there is nothing to look at.

    Args:
        address: see `limner.cluster.address`.
        job: of all workers.
        photos: drawn in this thread.

    Raises:
        LimnerError: see `started`.
    """
    ahead = iter(photos)
    if (first := next(ahead, None)) is None:
        return
    job = replace(job, settings=of_a_worker(job.settings), seen=(first[1],))
    with started(address, job, job.settings, MANY) as pool:
        yield from pool.each(chain([first], ahead))
