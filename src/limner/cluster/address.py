"""Where to look for workers: `ray`, on this machine, or `ray:ADDRESS`, a cluster that is there."""

from __future__ import annotations

from limner.errors import LimnerError

LOCAL = "local"
"""The address at which Ray is started on this machine for the run alone."""


def address_of(engine: str) -> str:
    """What Ray is told for a value of `--engine`.

    Raises:
        LimnerError: it is no such value.
    """
    name, colon, address = engine.partition(":")
    if name != "ray" or (colon and not address):
        raise LimnerError(
            f"There is no engine '{engine}': --engine ray is this machine, --engine ray:ADDRESS a cluster, such as "
            "ray:auto or ray:10.0.0.1:6379."
        )
    return address or LOCAL
