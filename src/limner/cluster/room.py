"""How many workers there is room for, and what each takes of its machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from limner.errors import LimnerError

MEMORY = 1.5 * 2**30
"""Bytes of a worker: one photograph of 12 megapixels takes 1.5 GB, with weights and libraries."""
ON_A_GPU = 4
"""Workers that share a card, at most: each takes half of the memory that is still free for its nets."""
GRAIN = 10_000
"""Ray counts GPUs in ten-thousandths."""


@dataclass(frozen=True)
class Room:
    """Room for workers.

    Attributes:
        workers: how many.
        cpus: of each, which are its threads.
        gpus: of each, a share of one; 0 where none is used.
        memory: of each, in bytes.
    """

    workers: int
    cpus: int
    gpus: float = 0.0
    memory: float = MEMORY


def room(machines: Iterable[Mapping[str, Any]], threads: int, device: str) -> Room:
    """The room of a cluster. Where a machine has a GPU that may be used, those alone take part that have one, since
    results of both kinds would differ.

    Args:
        machines: as `ray.nodes()` tells of them.
        threads: of a worker.
        device: see `limner.device.choose`.

    Raises:
        LimnerError: no machine has room for a single worker.
    """
    there = [one["Resources"] for one in machines if one["Alive"]]
    use_gpus = device in ("auto", "cuda") and any(one.get("GPU", 0) for one in there)
    if device == "cuda" and not use_gpus:
        raise LimnerError("No machine of the cluster has a GPU that Ray knows of: choose --device auto or cpu.")
    counts, share = [], 0.0
    for one in there:
        count = int(min(one.get("CPU", 0) // threads, one.get("memory", 0) // MEMORY))
        gpus = int(one.get("GPU", 0)) if use_gpus else 0
        counts.append(min(count, gpus * ON_A_GPU) if use_gpus else count)
        if use_gpus and counts[-1]:
            share = max(share, 1 / -(-counts[-1] // gpus))  # as many on each card
    if not sum(counts):
        raise LimnerError(
            f"No machine of the cluster has room for a worker, {threads} CPUs and {MEMORY / 1e9:.1f} GB of memory: "
            "lower --threads, or add machines."
        )
    return Room(sum(counts), threads, int(share * GRAIN) / GRAIN)
