"""How many faces go through the nets at once, and what happens where the memory doesn't hold them."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable
from typing import TypeVar

import torch

from limner.device import MOST_FACES, Compute

T = TypeVar("T")

log = logging.getLogger(__name__)

_SAID = ("out of memory", "can't allocate memory", "not enough memory", "bad allocation", "could not create a memory")
"""What torch, oneDNN and the drivers say of it in errors that have no type of their own."""


class AtOnce:
    """As many faces as the free memory is thought to hold; half as many from the moment on at which it didn't.

    Args:
        compute: where nets run.
        size: side of the crops in pixels.
        sharing: how many the memory must do for: as many such at the same time.
    """

    def __init__(self, compute: Compute, size: int, sharing: int = 1):
        self.compute, self.size, self.sharing = compute, size, sharing
        self._ceiling = MOST_FACES[compute.device.type]

    @property
    def faces(self) -> int:
        """How many that is at this moment, at least 1."""
        return min(self._ceiling, self.compute.batch_size(self.size, self.sharing))

    def __call__(self, work: Callable[[int], T]) -> T:
        """What `work` gives for a number of faces at once; it is begun anew with half of them where memory runs out.

        Args:
            work: it may be called several times.

        Raises:
            Whatever `work` raises; of memory, if there is too little for a single face.
        """
        faces = self.faces
        while True:
            try:
                return work(faces)
            except (RuntimeError, MemoryError) as error:
                if faces == 1 or not is_of_memory(error):
                    raise
                log.debug("%d faces at once are too many", faces, exc_info=error)
            faces = self._ceiling = faces // 2
            gc.collect()  # what the failed attempt held; the error that pointed to it is gone by now
            if self.compute.device.type == "cuda":
                torch.cuda.empty_cache()


def is_of_memory(error: BaseException) -> bool:
    """Whether an error says that the memory, the machine's or a card's, didn't suffice."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(said in str(error).lower() for said in _SAID)
