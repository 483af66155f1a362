"""Ray, started or joined for as long as it is needed."""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from limner.cluster.address import LOCAL
from limner.cluster.ray_package import ray
from limner.errors import LimnerError

STORE = 100 * 2**20
"""Bytes of Ray's store of objects on this machine: no pixels go through it."""
KNOCKING = 10.0
"""Seconds in which a cluster must answer."""


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Within, this process is connected to Ray: as it was before, if it was, else as told.

    Args:
        address: of a cluster, or `LOCAL`.

    Raises:
        LimnerError: nobody answers there, or Ray can't be started here.
    """
    if ray.is_initialized():
        yield
        return
    own = {"include_dashboard": False, "object_store_memory": STORE} if address == LOCAL else {}
    asked_to_end = signal.getsignal(signal.SIGTERM)
    try:
        _knock(address)
        ray.init(address, log_to_driver=False, configure_logging=False, logging_level=logging.ERROR, **own)
        signal.signal(signal.SIGTERM, asked_to_end)  # Ray would end this process at once
    except Exception as error:  # of any kind, also plain ones
        ray.shutdown()
        said = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        if address == LOCAL:
            raise LimnerError(f"Ray doesn't start on this machine ({said}): leave out --engine.") from error
        raise LimnerError(f"The cluster '{address}' doesn't answer ({said}): see `ray status` there.") from error
    try:
        yield
    finally:
        ray.shutdown()
        signal.signal(signal.SIGTERM, asked_to_end)


def _knock(address: str) -> None:
    """Sees whether anybody listens at a plain address, which Ray takes two minutes for.

    Raises:
        OSError: nobody does.
    """
    host, colon, port = address.rpartition(":")
    if colon and port.isdecimal() and "/" not in host:
        socket.create_connection((host, int(port)), KNOCKING).close()
