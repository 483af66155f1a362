"""Workers for a job, for as long as they are needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from limner.cluster.connected import connected
from limner.cluster.job import Item, Job, Result
from limner.cluster.pool import Pool
from limner.cluster.ray_package import ray
from limner.cluster.room import room
from limner.errors import LimnerError
from limner.settings import Settings

THREADS = 1
"""Of a worker, where nobody says: as many workers as a machine has processors do most in an hour."""


def of_a_worker(settings: Settings) -> Settings:
    """Settings with a worker's number of threads."""
    return replace(settings, threads=settings.threads or THREADS)


@contextmanager
def started(address: str, job: Job[Item, Result], settings: Settings, most: int) -> Iterator[Pool[Item, Result]]:
    """Workers of a cluster.

    Args:
        address: see `limner.cluster.address`.
        job: of all workers.
        settings: of a worker: where its nets run, and on how many threads.
        most: things to do, at most.

    Raises:
        LimnerError: nobody answers there, or there is no room for a worker.
    """
    with connected(address):
        places = room(ray.nodes(), settings.threads or THREADS, settings.device)
        with Pool(job, places, most) as pool:
            yield pool


def check_seen(*paths: Path) -> None:
    """
    Raises:
        LimnerError: this machine doesn't see one of them.
    """
    for path in paths:
        if not path.exists():
            raise LimnerError(
                f"{path.absolute()} isn't seen here: photos, results and weights of one's own must lie where every "
                "machine of the cluster sees them by one path."
            )
