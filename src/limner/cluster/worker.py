"""A worker: a process of Ray's that loads once and does one thing after another."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from limner.cluster.job import Begun, Job
from limner.cluster.ray_package import ray
from limner.errors import LimnerError
from limner.folder.in_order import Stop
from limner.version import __version__


@dataclass(frozen=True)
class Ready:
    """What a worker tells when it has begun.

    Attributes:
        host: its machine.
        process: its number there.
        like, told: see `Begun`.
    """

    host: str
    process: int
    like: dict[str, str]
    told: str


class Worker:
    """Lives in a process of its own.

    Args:
        folder: the driver's, from which relative paths lead; it may be missing here where all are absolute.
    """

    def __init__(self, folder: str):
        with suppress(OSError):
            os.chdir(folder)
        self._begun: Begun[Any, Any] | None = None

    def begin(self, job: Job[Any, Any]) -> Ready:
        """Loads what the work needs.

        Raises:
            LimnerError: it can't be done here.
        """
        host = socket.gethostname()
        try:
            self._begun = job.begin()
        except LimnerError as error:
            raise LimnerError(f"On the machine {host}: {error}") from error
        return Ready(host, os.getpid(), {"version": __version__, **self._begun.like}, self._begun.told)

    def work(self, item: Any) -> Any:
        """Does one thing.

        Raises:
            Cancelled: the driver has called it off.
        """
        assert self._begun, "a worker begins before it works"
        return self._begun.work(item, CalledOff())


class CalledOff(Stop):
    """Whether the driver has called off what this worker is at."""

    def __bool__(self) -> bool:
        return ray.get_runtime_context().is_canceled()
